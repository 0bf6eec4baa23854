import { readFileSync } from 'node:fs';
import type { SidecarConfig } from '../../config/index.js';
import { isLoopback, type TcpAddress, type UnixAddress } from '../../config/values/addresses.js';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { loadServeConfig } from './serve-config.js';

type Address = TcpAddress | UnixAddress;

/** The sidecar whose configuration is in this environment, for a command on the same machine. */
export interface OwnSidecar {
  readonly target: string;
  /** The path of its certificate, if `target` uses TLS. */
  readonly certificate: string | undefined;
  readonly requiresClientCertificate: boolean;
  /** Its admin port as host:port. Undefined without an admin port or with an unknown port number. */
  readonly admin: string | undefined;
  /** Whether the command can read a token of this sidecar. */
  readonly hasToken: boolean;
  /** One of its client tokens. Undefined if it requires none. @throws CommandFailure */
  token(): string | undefined;
}

/**
 * The sidecar that the environment and its configuration file describe, if `target` is one of its addresses or is
 * not given.
 *
 * @throws ConfigError when no target is given and the configuration is invalid
 */
export async function ownSidecar(
  context: CommandContext,
  target: string | undefined,
): Promise<OwnSidecar | undefined> {
  if (target === undefined) return describe((await loadServeConfig(context, {})).config);
  const loaded = await loadServeConfig(context, {}).catch(() => undefined);
  const address = loaded?.config.grpc.listen.find((own) => isReachedBy(own, target));
  return loaded && address && { ...describe(loaded.config, address), target };
}

/** Prefers a Unix socket, because it needs no certificate. Otherwise uses the first address. */
export function addressFor(listen: readonly Address[]): Address {
  return listen.find(({ kind }) => kind === 'unix') ?? listen[0]!;
}

/** The target for a server with this listen address, on the same machine. */
export function targetOf(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  // A socket for [::] also accepts IPv4 connections, and ::1 does not exist when IPv6 is disabled.
  const host = ['0.0.0.0', '::'].includes(address.host) ? '127.0.0.1' : address.host;
  return host.includes(':') ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}

/** The first token of a file. A line can have a name before its token. Comments are skipped. */
export function firstToken(option: string, path: string): string {
  const lines = readOption(option, path)
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim());
  const token = lines
    .find((line) => line !== '' && !line.startsWith('#'))
    ?.split(/\s+/)
    .at(-1);
  if (token === undefined) throw new CommandFailure(`${option} ${path} contains no token`, ExitCode.usage);
  return token;
}

/** A file that an option names. @throws CommandFailure */
export function readOption(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CommandFailure(`cannot read ${option}: ${(error as Error).message}`, ExitCode.usage, error);
  }
}

function describe({ grpc, admin }: SidecarConfig, address: Address = addressFor(grpc.listen)): OwnSidecar {
  const speaksTls = address.kind === 'tcp' && grpc.tlsCert !== '';
  const [token] = grpc.tokens;
  return {
    target: targetOf(address),
    certificate: speaksTls ? grpc.tlsCert : undefined,
    requiresClientCertificate: speaksTls && grpc.tlsClientCa !== '',
    admin: admin.listen === 'off' || admin.listen.port === 0 ? undefined : targetOf(admin.listen),
    hasToken: token !== undefined || grpc.tokenFile !== '',
    token: () => token ?? (grpc.tokenFile === '' ? undefined : firstToken('grpc.tokenFile', grpc.tokenFile)),
  };
}

/** Whether a target is this listen address, seen from the same machine. */
export function isReachedBy(own: Address, target: string): boolean {
  if (own.kind === 'unix') return target.replace(/^unix:(\/\/(?=\/))?/, '') === own.path;
  const match = /^(?:dns:(?:\/\/\/)?)?(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(target);
  if (!match || Number(match[3]) !== own.port) return false;
  const host = match[1] ?? match[2] ?? '';
  const isWildcard = own.host === '0.0.0.0' || own.host === '::';
  return host === own.host || (isLoopback(host) && (isWildcard || isLoopback(own.host)));
}
