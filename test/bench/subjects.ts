import { type Client, type Command, clients } from '../../scripts/clients/index.mjs';
import type { PeerSpec } from './roles/order.js';
import { DAPRD } from './servers/dapr.js';
import { findProgram, type Server } from './servers/server-process.js';
import { NATS, REDIS } from './servers/servers.js';
import type { DaemonKind, Stage } from './stage.js';

/** A subject that is ready to be measured: the C tools at a daemon, or peers of our own roles. */
export type Opened = { readonly servers: readonly Server[] } & (
  | { readonly kind: 'native'; readonly spreadName: string; readonly daemonPort: number }
  | { readonly kind: 'peer'; readonly peer: PeerSpec }
);

/** A product, or a way to use it, that scenarios measure. */
export interface Subject {
  readonly id: string;
  /** For the report: the client, the connection and the server. */
  readonly text: string;
  /** Whether our own processes, which Node runs, are part of the subject. */
  readonly usesNode: boolean;
  /** The reason why this machine cannot measure the subject. Undefined if it can. */
  missing(env: NodeJS.ProcessEnv): string | undefined;
  open(stage: Stage): Promise<Opened>;
}

const needsSpread = (env: NodeJS.ProcessEnv) =>
  env.SPREAD_HOME ? undefined : 'set SPREAD_HOME to a Spread installation with bin/ and sbin/';
const needsNothing = () => undefined;
const needsProgram = (name: string) => (env: NodeJS.ProcessEnv) =>
  findProgram(name, env) ? undefined : `${name} is not installed (Debian: apt-get install ${name})`;

function native(daemon: DaemonKind, way: 'unix' | 'tcp'): Subject {
  return {
    id: `c-${daemon}${way === 'tcp' ? '-tcp' : ''}`,
    text: `Spread's C tools, ${way === 'tcp' ? 'TCP' : 'Unix socket'}, ${daemon} daemon`,
    usesNode: false,
    missing: needsSpread,
    async open(stage) {
      const server = await stage.daemon(daemon);
      const spreadName = way === 'tcp' ? `${server.port}@127.0.0.1` : String(server.port);
      return { kind: 'native', spreadName, daemonPort: server.port, servers: [server] };
    },
  };
}

function session(daemon: DaemonKind): Subject {
  return {
    id: `session-${daemon}`,
    text: `our Session without gRPC, Unix socket, ${daemon} daemon`,
    usesNode: true,
    missing: daemon === 'real' ? needsSpread : needsNothing,
    async open(stage) {
      const server = await stage.daemon(daemon);
      return {
        kind: 'peer',
        peer: { kind: 'session', address: String(server.port) },
        servers: [server],
      };
    },
  };
}

interface SidecarShape {
  readonly way?: 'unix' | 'tcp';
  readonly sends?: 'stream' | 'unary' | 'concurrent';
}

const SENDS_TEXT = { stream: 'MulticastStream', unary: 'unary, one by one', concurrent: 'unary, 64 at once' };
const DAEMON_TEXT = {
  real: 'real daemon',
  embedded: 'embedded daemon as its own process',
  inside: 'embedded daemon inside',
};

function sidecar(
  daemon: DaemonKind | 'inside',
  { way = 'unix', sends = 'stream' }: SidecarShape = {},
): Subject {
  return {
    id: ['sidecar', daemon, ...(way === 'tcp' ? ['tcp'] : []), ...(sends === 'stream' ? [] : [sends])].join(
      '-',
    ),
    text: `sidecar, gRPC over ${way === 'tcp' ? 'TCP' : 'a Unix socket'}, ${SENDS_TEXT[sends]}, ${DAEMON_TEXT[daemon]}`,
    usesNode: true,
    missing: daemon === 'real' ? needsSpread : needsNothing,
    async open(stage) {
      const server = await stage.sidecar(daemon);
      const target = way === 'tcp' ? server.tcpTarget : server.unixTarget;
      const behind = daemon === 'inside' ? [] : [await stage.daemon(daemon)];
      return { kind: 'peer', peer: { kind: 'sidecar', target, sends }, servers: [server, ...behind] };
    },
  };
}

const nats: Subject = {
  id: 'nats',
  text: 'NATS with @nats-io/transport-node, TCP (no total order)',
  usesNode: true,
  missing: needsProgram(NATS),
  async open(stage) {
    const server = await stage.nats();
    return { kind: 'peer', peer: { kind: 'nats', port: server.port }, servers: [server] };
  },
};

const redis: Subject = {
  id: 'redis',
  text: 'Redis pub/sub with redis, TCP (no total order)',
  usesNode: true,
  missing: needsProgram(REDIS),
  async open(stage) {
    const server = await stage.redis();
    return { kind: 'peer', peer: { kind: 'redis', port: server.port }, servers: [server] };
  },
};

const dapr: Subject = {
  id: 'dapr',
  text: 'Dapr pub/sub, component in-memory, bare grpc-js, unary PublishEvent, 64 at once, TCP (no total order)',
  usesNode: true,
  missing: (env) =>
    env[DAPRD] ? undefined : `set ${DAPRD} to the path of daprd, with the component pubsub.in-memory`,
  async open(stage) {
    const server = await stage.daprd();
    return { kind: 'peer', peer: { kind: 'dapr', port: server.port }, servers: [server] };
  },
};

function bareGrpc(kind: 'grpc-relay' | 'grpc-unary', text: string): Subject {
  return {
    id: kind,
    text,
    usesNode: true,
    missing: needsNothing,
    async open(stage) {
      const server = await stage.grpcRelay();
      return { kind: 'peer', peer: { kind, port: server.port }, servers: [server] };
    },
  };
}

function client(one: Client, asyncio: boolean): Subject {
  const { language, title = language } = one;
  return {
    id: `client-${language}${asyncio ? '-asyncio' : ''}`,
    text: `the ${title} client${asyncio ? ', asyncio' : ''}`,
    usesNode: false,
    missing: (env) => (one.isAvailable(env) ? undefined : one.enable),
    open: () => Promise.reject(new Error('only the scenarios of clients measure it')),
  };
}

/** The clients of all languages. They measure themselves. */
export const CLIENT_SUBJECTS: readonly Subject[] = clients.flatMap((one) => [
  client(one, false),
  ...(one.asyncDriver ? [client(one, true)] : []),
]);

/** The client of a subject of CLIENT_SUBJECTS, and whether the subject is its asyncio part. */
export function clientOf({ id }: Subject): [client: Client, asyncio: boolean] {
  const [, language, variant] = id.split('-');
  return [clients.find((one) => one.language === language) as Client, variant === 'asyncio'];
}

interface ModuleSubject extends Subject {
  readonly daemon: DaemonKind;
  /** Whether the subject is the original C wrapper, which needs no sidecar. */
  readonly isWrapper: boolean;
  program(args: readonly string[]): Command;
}

const WRAPPER_PYTHON = 'SPREAD_WRAPPER_PYTHON';

function moduleSpread(daemon: DaemonKind, isWrapper: boolean): ModuleSubject {
  const python = clients.find((one) => one.moduleBench) as Client;
  const ofModule = (args: readonly string[]) => python.moduleBench?.(args) as Command;
  return {
    id: `${isWrapper ? 'c-wrapper' : 'module'}-${daemon}`,
    text: `${isWrapper ? 'the genuine C wrapper for Python' : 'the module spread of our Python package, sidecar'}, Unix socket, ${daemon} daemon`,
    daemon,
    isWrapper,
    usesNode: false,
    missing: (env) => {
      if (daemon === 'real' && !env.SPREAD_HOME) return needsSpread(env);
      if (!isWrapper) return python.isAvailable(env) ? undefined : python.enable;
      return env[WRAPPER_PYTHON] ? undefined : `set ${WRAPPER_PYTHON} to a Python that has the C wrapper`;
    },
    open: () => Promise.reject(new Error('only module-spread measures it')),
    program: (args) =>
      isWrapper
        ? {
            command: process.env[WRAPPER_PYTHON] as string,
            args: ofModule(args).args,
            cwd: ofModule(args).cwd,
          }
        : ofModule(args),
  };
}

/** Python's module `spread`: this project's and the original. */
export const MODULE_SUBJECTS: readonly ModuleSubject[] = [
  moduleSpread('real', true),
  moduleSpread('real', false),
  moduleSpread('embedded', true),
  moduleSpread('embedded', false),
];

/** The properties of a subject of MODULE_SUBJECTS. */
export function moduleOf({ id }: Subject): ModuleSubject {
  return MODULE_SUBJECTS.find((one) => one.id === id) as ModuleSubject;
}

/** Every subject, in the order in which a round measures them. */
export const SUBJECTS: readonly Subject[] = [
  native('real', 'unix'),
  native('real', 'tcp'),
  native('embedded', 'unix'),
  session('real'),
  session('embedded'),
  sidecar('real'),
  sidecar('real', { way: 'tcp' }),
  sidecar('real', { sends: 'unary' }),
  sidecar('real', { sends: 'concurrent' }),
  sidecar('embedded'),
  sidecar('embedded', { sends: 'unary' }),
  sidecar('inside'),
  sidecar('inside', { sends: 'unary' }),
  sidecar('inside', { sends: 'concurrent' }),
  bareGrpc('grpc-relay', 'bare grpc-js, bytes between two streams of a server process, TCP'),
  bareGrpc('grpc-unary', 'bare grpc-js, unary calls with bytes, TCP'),
  nats,
  redis,
  dapr,
  ...CLIENT_SUBJECTS,
  ...MODULE_SUBJECTS,
];

export function subject(id: string): Subject {
  const found = SUBJECTS.find((one) => one.id === id);
  if (found === undefined) throw new Error(`there is no subject ${id}`);
  return found;
}
