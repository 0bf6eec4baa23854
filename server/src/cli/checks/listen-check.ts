import { lookup } from 'node:dns/promises';
import { lstat, stat } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import {
  includes,
  isIpv6Only,
  type PlannedAddress,
  plannedAddresses,
  type SidecarConfig,
  type TcpAddress,
  type UnixAddress,
} from '../../config/index.js';
import { tcpListenOptions } from '../../net/tcp-listen-options.js';
import { CommandFailure } from '../command-failure.js';
import { ExitCode } from '../exit-codes.js';
import { systemErrorText } from '../system-error.js';

/** A listen address, and the flag that sets it. */
export interface Place {
  /** Such as `gRPC`. */
  readonly what: string;
  readonly flag: string;
  readonly address: TcpAddress | UnixAddress;
  readonly ipv6Only?: boolean;
}

/** The reason why an address cannot be used. */
export interface PlaceProblem {
  readonly place: Place;
  /** Whether another process listens there. */
  readonly isTaken: boolean;
  /** Completes the sentence "<address> …". */
  readonly text: string;
}

const RESOURCES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS']);

const PARTS: Readonly<Record<PlannedAddress['option'], Pick<Place, 'what' | 'flag'>>> = {
  'grpc.listen': { what: 'gRPC', flag: '--grpc-listen' },
  'admin.listen': { what: 'admin', flag: '--admin-listen' },
  'embedded.listen': { what: 'embedded daemon', flag: '--embedded-listen' },
  'embedded.socket': { what: 'embedded daemon', flag: '--embedded-socket' },
};

/** Every listen address of `serve` with this configuration. */
export function placesOf(config: SidecarConfig): Place[] {
  return plannedAddresses(config).map(({ option, address }) => ({
    ...PARTS[option],
    address,
    ipv6Only: option === 'grpc.listen' && address.kind === 'tcp' && isIpv6Only(address, config.grpc.listen),
  }));
}

/** `127.0.0.1:4813`, `[::1]:4813` or `/tmp/4803`. */
export function placeName({ address }: Place): string {
  if (address.kind === 'unix') return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Listens on all addresses for a moment. Returns the addresses that fail, with the reasons. */
export async function findPlaceProblems(places: readonly Place[]): Promise<PlaceProblem[]> {
  const held: { readonly place: Place; readonly server: Server }[] = [];
  const problems: PlaceProblem[] = [];
  for (const place of places) {
    const { address } = place;
    const found = address.kind === 'unix' ? await socketFileProblem(address.path) : undefined;
    if (found) problems.push({ place, ...found });
    if (found !== undefined) continue;
    const server = createServer((socket) => socket.destroy());
    const error = await tryToListen(server, place);
    if (!error) held.push({ place, server });
    else if (error.code === 'EADDRINUSE') {
      const own = await holderOf(address, held);
      problems.push(
        own
          ? { place, isTaken: false, text: `is also an address of ${own.flag} (${placeName(own)})` }
          : { place, isTaken: true, text: 'is in use by another process' },
      );
    } else problems.push({ place, isTaken: false, text: `is not usable: ${reasonOf(error)}` });
  }
  await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  return problems;
}

/**
 * The failure to listen, for the user: all addresses that cannot be used, each with its flag.
 *
 * @param cause - the original error; its message is used when all addresses are free by now
 */
export async function listenFailure(places: readonly Place[], cause: Error): Promise<CommandFailure> {
  const { code } = (cause.cause ?? {}) as { code?: string };
  // If the process lacks resources, no single address is the cause.
  if (code !== undefined && RESOURCES.has(code))
    return new CommandFailure(`cannot listen: ${systemErrorText(cause)}`, ExitCode.cannotListen, cause);
  const problems = await findPlaceProblems(places);
  if (problems.length === 0) return new CommandFailure(cause.message, ExitCode.cannotListen, cause);
  const lines = problems.map(({ place, text }) => `${placeName(place)} (${place.flag}) ${text}`);
  const advice = adviceFor(problems);
  const message =
    lines.length === 1
      ? `cannot listen: ${lines[0]}; ${advice}`
      : [`cannot listen on ${lines.length} addresses:`, ...lines.map((line) => `  ${line}`), advice].join(
          '\n',
        );
  return new CommandFailure(message, ExitCode.cannotListen, cause);
}

function adviceFor(problems: readonly PlaceProblem[]): string {
  const flags = [...new Set(problems.map(({ place }) => place.flag))].join(', ');
  const other = `${problems.length === 1 ? 'set a different address' : 'set other addresses'} with ${flags}`;
  if (!problems.some(({ isTaken }) => isTaken)) return other;
  const isTcp = problems.some(({ isTaken, place }) => isTaken && place.address.kind === 'tcp');
  const free = isTcp ? ' (port 0 selects a free port)' : '';
  return `another sidecar or Spread daemon may already be running: stop that process, or ${other}${free}`;
}

function tryToListen(
  server: Server,
  { address, ipv6Only }: Place,
): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    const where =
      address.kind === 'unix'
        ? { path: address.path }
        : tcpListenOptions(address.host, address.port, ipv6Only ?? false);
    server.listen(where, () => resolve(undefined));
  });
}

/** The address among `held` that conflicts with this one. */
async function holderOf(
  address: TcpAddress | UnixAddress,
  held: readonly { readonly place: Place; readonly server: Server }[],
): Promise<Place | undefined> {
  if (address.kind === 'unix') return undefined;
  const host = (await lookup(address.host).catch(() => undefined))?.address ?? address.host;
  const wanted = { ...address, host };
  return held.find(({ server }) => {
    const bound = server.address() as AddressInfo | string | null;
    if (bound === null || typeof bound === 'string') return false;
    const own: TcpAddress = { kind: 'tcp', host: bound.address, port: bound.port };
    return includes(own, wanted) || includes(wanted, own);
  })?.place;
}

/**
 * Examines a socket file without replacing it, because a check changes nothing. Returns null for a stale file,
 * which `serve` replaces.
 */
async function socketFileProblem(path: string): Promise<Omit<PlaceProblem, 'place'> | undefined | null> {
  // For a missing folder, the system reports a lack of permissions.
  if (!(await stat(dirname(path)).catch(() => undefined)))
    return { isTaken: false, text: `is not usable: the folder ${dirname(path)} does not exist` };
  const found = await lstat(path).catch(() => undefined);
  if (!found) return undefined;
  if (!found.isSocket())
    return {
      isTaken: false,
      text: 'is an existing file that is not a socket: remove the file, or set another path',
    };
  const isLive = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    }).on('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
  return isLive ? { isTaken: true, text: 'is in use by another process' } : null;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name cannot be resolved (${error.code})`;
    case 'EACCES':
    case 'EPERM':
      return `this user is not permitted to listen there (${error.code})`;
    default:
      return systemErrorText(error) ?? error.message;
  }
}
