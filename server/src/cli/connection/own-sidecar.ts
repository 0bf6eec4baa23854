import { readFileSync } from 'node:fs';
import type { SidecarConfig } from '../../config/index.js';
import { isLoopback, type TcpAddress, type UnixAddress } from '../../config/values/addresses.js';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { loadServeConfig } from './serve-config.js';

type Address = TcpAddress | UnixAddress;

/** The sidecar whose configuration is in this environment, as a command on the same machine reaches it. */
export interface OwnSidecar {
  readonly target: string;
  /** The path of its certificate, where `target` speaks TLS. */
  readonly certificate: string | undefined;
  readonly requiresClientCertificate: boolean;
  /** Its admin port as host:port; undefined where there is none, or its number is not known. */
  readonly admin: string | undefined;
  /** Whether a token of its own is known. */
  readonly hasToken: boolean;
  /** One of its client tokens; undefined where it requires none. @throws CommandFailure */
  token(): string | undefined;
}

/**
 * The sidecar that the environment and its configuration file describe, if `target` is one of its addresses or is not given.
 *
 * @throws ConfigError when no target is given and the configuration is wrong
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

/** A Unix socket where there is one, because it needs no certificate; else the first address. */
export function addressFor(listen: readonly Address[]): Address {
  return listen.find(({ kind }) => kind === 'unix') ?? listen[0]!;
}

/** How to reach a server that listens at this address, from the same machine. */
export function targetOf(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  // A socket for [::] takes IPv4 connections too, and ::1 is missing where IPv6 is switched off.
  const host = ['0.0.0.0', '::'].includes(address.host) ? '127.0.0.1' : address.host;
  return host.includes(':') ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}

/** The first token of a file: a line may have a name before its token, and comments count for nothing. */
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

function isReachedBy(own: Address, target: string): boolean {
  if (own.kind === 'unix') return target.replace(/^unix:(\/\/(?=\/))?/, '') === own.path;
  const match = /^(?:dns:(?:\/\/\/)?)?(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(target);
  if (!match || Number(match[3]) !== own.port) return false;
  const host = match[1] ?? match[2] ?? '';
  const isWildcard = own.host === '0.0.0.0' || own.host === '::';
  return host === own.host || (isLoopback(host) && (isWildcard || isLoopback(own.host)));
}
