import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RealSpread } from '../../support/daemons/real-spread.js';
import { freePort } from '../../support/sidecars/serve-process.js';
import { until } from '../../support/until.js';
import { findProgram, type Server, ServerProcess } from './server-process.js';

const MAIN = fileURLToPath(new URL('../../../dist/server/main.js', import.meta.url));

/**
 * By default, both daemons disconnect a client with a thousand unread messages. The C tools have no flow control
 * between a sender and a receiver of different processes, so this limit is high enough not to matter. Our roles
 * have their own window.
 */
const MAX_SESSION_MESSAGES = 1_000_000;

/** A Spread daemon. Its Unix socket has the path that Spread's own client library uses. */
export interface Daemon extends Server {
  readonly port: number;
}

/** Flags for Node that make a process write its CPU profile when it ends. */
const profileFlags = (folder: string | undefined, name: string): readonly string[] =>
  folder === undefined
    ? []
    : ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-name', `${name}.cpuprofile`];

export async function startRealDaemon(): Promise<Daemon> {
  const spread = await RealSpread.start({ maxSessionMessages: MAX_SESSION_MESSAGES });
  return { name: 'daemon', pid: spread.pid, port: spread.port, stop: () => spread.stop() };
}

/**
 * @param node - path of the Node binary
 * @param profiles - folder for a CPU profile
 */
export async function startEmbeddedDaemon(node: string, profiles?: string): Promise<Daemon> {
  const port = await freePort();
  const server = new ServerProcess('daemon', node, [
    ...profileFlags(profiles, `daemon-${port}`),
    MAIN,
    ...['daemon', '--quiet', '--port', String(port), '--socket', `/tmp/${port}`],
    ...['--max-session-messages', String(MAX_SESSION_MESSAGES)],
  ]);
  await server.listens({ path: `/tmp/${port}` });
  return { name: server.name, pid: server.pid, port, stop: () => server.stop() };
}

/** A sidecar, and the targets for applications. */
export interface Sidecar extends Server {
  readonly unixTarget: string;
  readonly tcpTarget: string;
  /** Time from the start of the process until it was ready. */
  readonly readyMs: number;
}

/**
 * @param node - path of the Node binary
 * @param daemon - undefined: with the embedded daemon in the same process
 * @param profiles - folder for a CPU profile
 * @param options - further flags of `serve`
 */
export async function startSidecar(
  node: string,
  folder: string,
  daemon: Daemon | undefined,
  profiles?: string,
  options: readonly string[] = [],
): Promise<Sidecar> {
  const [grpcPort, adminPort] = [await freePort(), await freePort()];
  const socket = join(folder, `sidecar-${grpcPort}.sock`);
  const startedAt = performance.now();
  const server = new ServerProcess('sidecar', node, [
    ...profileFlags(profiles, `sidecar-${grpcPort}`),
    ...[MAIN, 'serve', '--log-level', 'warn'],
    ...['--grpc-listen', `127.0.0.1:${grpcPort},unix:${socket}`],
    ...['--admin-listen', `127.0.0.1:${adminPort}`],
    ...(daemon === undefined
      ? [
          '--embedded-daemon',
          '--embedded-listen',
          '127.0.0.1:0',
          '--embedded-socket',
          join(folder, `inside-${grpcPort}.sock`),
        ]
      : ['--daemon-addresses', String(daemon.port)]),
    ...(daemon === undefined ? ['--embedded-max-session-messages', String(MAX_SESSION_MESSAGES)] : []),
    ...options,
  ]);
  await until(() => isReady(adminPort), { timeoutMs: 15_000, what: 'the sidecar is ready' });
  const readyMs = performance.now() - startedAt;
  return {
    name: 'sidecar',
    pid: server.pid,
    unixTarget: `unix:${socket}`,
    tcpTarget: `127.0.0.1:${grpcPort}`,
    readyMs,
    stop: () => server.stop(),
  };
}

async function isReady(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
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

/** A bare grpc-js server. @param node - path of the Node binary */
export async function startGrpcRelay(node: string): Promise<OtherServer> {
  const port = await freePort();
  const server = new ServerProcess('server', node, ['--import', 'tsx', RELAY, String(port)], ROOT);
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
