import { lstat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { ConfigError, type SidecarConfig, type TcpAddress, type UnixAddress } from '../config/index.js';
import { Access } from '../sidecar/access.js';
import type { Session } from '../spread/session.js';
import type { SessionOptions } from '../spread/session-options.js';
import { ExitCode } from './exit-codes.js';

/** One line of `check`. */
export interface CheckResult {
  readonly what: string;
  /** undefined: well. `warning`: it would work all the same. */
  readonly problem: 'failed' | 'warning' | undefined;
  readonly text: string;
  /** For a failure. */
  readonly exitCode: number;
}

type Address = TcpAddress | UnixAddress;

const well = (what: string, text: string): CheckResult => ({
  what,
  problem: undefined,
  text,
  exitCode: ExitCode.ok,
});

/** Whether the files of certificates and tokens can be used. */
export function checkSecurity({ grpc, admin }: SidecarConfig): CheckResult[] {
  const none = { ...grpc, tlsCert: '', tlsKey: '', tlsClientCa: '', tokens: [], tokenFile: '' };
  const noAdmin = { ...admin, token: '', tokenFile: '' };
  const { tlsCert, tlsKey, tlsClientCa, tokenFile } = grpc;
  const parts = [
    { what: 'TLS', file: tlsCert, grpc: { ...none, tlsCert, tlsKey, tlsClientCa }, admin: noAdmin },
    { what: 'client tokens', file: tokenFile, grpc: { ...none, tokenFile }, admin: noAdmin },
    {
      what: 'admin tokens',
      file: admin.tokenFile,
      grpc: none,
      admin: { ...noAdmin, tokenFile: admin.tokenFile },
    },
  ];
  return parts.flatMap(({ what, file, ...part }) => (file === '' ? [] : [securityResult(what, file, part)]));
}

function securityResult(
  what: string,
  file: string,
  config: Pick<SidecarConfig, 'grpc' | 'admin'>,
): CheckResult {
  let text = '';
  try {
    const access = new Access(config as SidecarConfig, {
      refused() {},
      reloadFailed() {},
      loaded: (_kind, { expiresAtMs, count }) => {
        text =
          expiresAtMs === undefined
            ? `${count} in ${file}`
            : `the certificate is valid until ${new Date(expiresAtMs).toISOString()}`;
      },
    });
    access.stop();
    return well(what, text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [mistake] = error.mistakes;
    const problem = `${mistake?.message} (${mistake?.where})`;
    return { what, problem: 'failed', text: problem, exitCode: ExitCode.usage };
  }
}

/** Whether each address that serve would listen on is free. Listens on it for a moment. */
export async function checkPlaces(config: SidecarConfig): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [what, address] of places(config)) {
    const name = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
    const problem = await problemOf(address);
    if (problem === undefined) results.push(well(what, `${name} is free`));
    else
      results.push({ what, problem: 'failed', text: `${name} ${problem}`, exitCode: ExitCode.cannotListen });
  }
  return results;
}

/** Whether the default daemons answer. One of them is enough. */
export async function checkDaemons(
  { daemon, embedded }: SidecarConfig,
  signal: AbortSignal,
  connect: (options: SessionOptions) => Promise<Session>,
): Promise<CheckResult[]> {
  if (embedded.enabled) return [well('daemon', 'the embedded one')];
  const answers = await Promise.all(
    daemon.addresses.map(async (address): Promise<CheckResult> => {
      const what = `daemon ${address}`;
      try {
        const session = await connect({
          address,
          membership: false,
          timeoutMs: daemon.connectTimeout,
          signal,
        });
        const { major, minor, patch } = session.daemonVersion;
        session.start({ onMessage() {}, onClose() {} });
        await session.disconnect();
        return well(what, `Spread ${major}.${minor}.${patch} answers`);
      } catch (error) {
        const { message } = error as Error;
        return { what, problem: 'failed', text: message, exitCode: ExitCode.unreachable };
      }
    }),
  );
  const anyAnswers = answers.some(({ problem }) => problem === undefined);
  return anyAnswers
    ? answers.map((answer) => (answer.problem ? { ...answer, problem: 'warning' } : answer))
    : answers;
}

function places({ grpc, admin, embedded }: SidecarConfig): [string, Address][] {
  const all: [string, Address][] = grpc.listen.map((address) => ['gRPC', address]);
  if (admin.listen !== 'off') all.push(['admin', admin.listen]);
  if (!embedded.enabled) return all;
  if (embedded.listen !== 'off') all.push(['embedded daemon', embedded.listen]);
  const port = embedded.listen === 'off' ? 0 : embedded.listen.port;
  const path = embedded.socket === 'auto' ? (port === 0 ? 'off' : `/tmp/${port}`) : embedded.socket;
  if (path !== 'off') all.push(['embedded daemon', { kind: 'unix', path }]);
  return all;
}

async function problemOf(address: Address): Promise<string | undefined> {
  if (address.kind === 'unix') return socketProblem(address.path);
  const error = await tryToListen({ host: address.host, port: address.port });
  if (error?.code === 'EADDRINUSE')
    return 'is taken by another process: stop that one, or choose another port';
  return error && `can't be listened on: ${error.message}`;
}

/** A socket file is examined, not replaced: whoever only checks changes nothing. */
async function socketProblem(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) {
    const error = await tryToListen({ path });
    return error && `can't be listened on: ${error.message}`;
  }
  if (!found.isSocket()) return 'is an existing file that is no socket: remove it, or choose another path';
  const { connect } = await import('node:net');
  const live = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
  return live ? 'is in use by a running process: stop that one, or choose another path' : undefined;
}

function tryToListen(where: {
  host?: string;
  port?: number;
  path?: string;
}): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(where, () => server.close(() => resolve(undefined)));
  });
}
