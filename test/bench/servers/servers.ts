import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILT_PROGRAM } from '../../support/built-program.js';
import { RealSpread } from '../../support/daemons/real-spread.js';
import { freePort } from '../../support/sidecars/serve-process.js';
import { type Exit, findProgram, type Server, ServerProcess } from './server-process.js';

/**
 * By default, both daemons disconnect a client with a thousand unread messages. The C tools have no flow control
 * between a sender and a receiver of different processes, so this limit is high enough not to matter. Our roles
 * have their own window.
 */
export const MANY_SESSION_MESSAGES = 1_000_000;

/** The default of both daemons. */
export const DEFAULT_SESSION_MESSAGES = 1000;

/** A Spread daemon. Its Unix socket has the path that Spread's own client library uses. */
export interface Daemon extends Server {
  readonly port: number;
}

/** Flags for Node that make a process write its CPU profile when it ends. */
const profileFlags = (folder: string | undefined, name: string): readonly string[] =>
  folder === undefined
    ? []
    : ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-name', `${name}.cpuprofile`];

/** Settings of servers. */
export interface ServerSettings {
  /** Path of the Node binary that runs sidecars and embedded daemons. */
  readonly node: string;
  /** Folder for their CPU profiles. */
  readonly profiles?: string | undefined;
  /** Number of unread messages after which a daemon disconnects a client. */
  readonly maxSessionMessages: number;
}

export async function startRealDaemon({ maxSessionMessages }: ServerSettings): Promise<Daemon> {
  const spread = await RealSpread.start({ maxSessionMessages });
  return { name: 'daemon', pid: spread.pid, port: spread.port, stop: () => spread.stop() };
}

/** An embedded daemon as its own process. */
export interface EmbeddedDaemon extends Daemon {
  /** Ends the process, so that it sends no disconnect message. */
  kill(): Promise<void>;
}

/** @param port - default: a free port */
export async function startEmbeddedDaemon(
  { node, profiles, maxSessionMessages }: ServerSettings,
  port?: number,
): Promise<EmbeddedDaemon> {
  const own = port ?? (await freePort());
  const server = new ServerProcess('daemon', node, [
    ...profileFlags(profiles, `daemon-${own}`),
    BUILT_PROGRAM,
    ...['daemon', '--quiet', '--port', String(own), '--socket', `/tmp/${own}`],
    ...['--max-session-messages', String(maxSessionMessages)],
  ]);
  await server.listens({ path: `/tmp/${own}` });
  return {
    name: server.name,
    pid: server.pid,
    port: own,
    stop: () => server.stop(),
    kill: () => server.kill(),
  };
}

/** A sidecar, and the targets for applications. */
export interface Sidecar extends Server {
  readonly unixTarget: string;
  readonly tcpTarget: string;
  readonly adminPort: number;
  /** Time from the start of the process until it was ready. */
  readonly readyMs: number;
  readonly exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
}

/**
 * @param folder - folder for sockets
 * @param daemon - undefined: with the embedded daemon in the same process
 * @param options - further flags of `serve`
 * @param env - further variables of the process
 */
export async function startSidecar(
  { node, profiles, maxSessionMessages }: ServerSettings,
  folder: string,
  daemon: Daemon | undefined,
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Sidecar> {
  const [grpcPort, adminPort] = [await freePort(), await freePort()];
  const socket = join(folder, `sidecar-${grpcPort}.sock`);
  const startedAt = performance.now();
  const args = [
    ...profileFlags(profiles, `sidecar-${grpcPort}`),
    ...[BUILT_PROGRAM, 'serve', '--log-level', 'warn'],
    ...['--grpc-listen', `127.0.0.1:${grpcPort},unix:${socket}`],
    ...['--admin-listen', `127.0.0.1:${adminPort}`],
    ...(daemon === undefined
      ? [
          ...['--embedded-daemon', '--embedded-listen', '127.0.0.1:0'],
          ...['--embedded-socket', join(folder, `inside-${grpcPort}.sock`)],
          ...['--embedded-max-session-messages', String(maxSessionMessages)],
        ]
      : ['--daemon-addresses', String(daemon.port)]),
    ...options,
  ];
  const server = new ServerProcess('sidecar', node, args, { env });
  await server.starts(() => isReady(adminPort), 'is ready');
  const readyMs = performance.now() - startedAt;
  return {
    name: 'sidecar',
    pid: server.pid,
    unixTarget: `unix:${socket}`,
    tcpTarget: `127.0.0.1:${grpcPort}`,
    adminPort,
    readyMs,
    exited: server.exited,
    signal: (signal) => server.signal(signal),
    stop: () => server.stop(),
  };
}

/** Whether the readiness probe of a sidecar succeeds. */
export async function isReady(adminPort: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.ok ?? false;
}

/** A server with a TCP port that belongs neither to this project nor to Spread. */
export interface OtherServer extends Server {
  readonly port: number;
}

export const NATS = 'nats-server';
export const REDIS = 'redis-server';

export function startNats(): Promise<OtherServer> {
  return startOther(NATS, (port) => ['-a', '127.0.0.1', '-p', String(port)]);
}

/** Stores nothing, and disconnects no slow subscriber. */
export function startRedis(): Promise<OtherServer> {
  return startOther(REDIS, (port) => [
    ...['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'],
    ...['--client-output-buffer-limit', 'pubsub 0 0 0'],
  ]);
}

const RELAY = fileURLToPath(new URL('grpc-relay.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A bare grpc-js server. */
export async function startGrpcRelay({ node }: ServerSettings): Promise<OtherServer> {
  const port = await freePort();
  const server = new ServerProcess('server', node, ['--import', 'tsx', RELAY, String(port)], {
    cwd: ROOT,
  });
  await server.listens({ host: '127.0.0.1', port });
  return { name: server.name, pid: server.pid, port, stop: () => server.stop() };
}

async function startOther(program: string, args: (port: number) => readonly string[]): Promise<OtherServer> {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  const port = await freePort();
  const server = new ServerProcess('server', path, args(port));
  await server.listens({ host: '127.0.0.1', port });
  return { name: server.name, pid: server.pid, port, stop: () => server.stop() };
}
