import { isIPv4, isIPv6 } from 'node:net';
import { SpreadError } from './spread-error.js';
import { DEFAULT_SPREAD_PORT, UNIX_SOCKET_FOLDER } from './wire/index.js';

/** The address of a daemon. */
export type SpreadAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const FORMS = '<port>, <port>@<host>, <port>@<IPv6 address> (with or without brackets) or /path/of/a/socket';
/** A DNS name has at most 253 characters. */
const MAX_HOST = 253;
/** The smallest `sun_path` of the supported systems, without its NUL. */
const MAX_SOCKET_PATH = 103;
const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/;

/**
 * Reads a spread name. The forms:
 * - `` (empty): the same as `4803`
 * - `<port>`: the Unix socket `/tmp/<port>`; on Windows, as in Spread, `<port>@localhost`
 * - `<port>@<host>`: TCP to a name, an IPv4 or an IPv6 address, the latter with or without brackets
 * - `/path/of/a/socket`: a Unix socket elsewhere (not in Spread's own library)
 *
 * `<port>` is 1..65535. Throws SpreadError ILLEGAL_SPREAD that names the forms.
 */
export function parseAddress(
  spreadName: string,
  platform: NodeJS.Platform = process.platform,
): SpreadAddress {
  if (spreadName.startsWith('/')) return unixAddress(spreadName);
  const match = /^(\d{1,10})(?:@(.*))?$/s.exec(spreadName === '' ? String(DEFAULT_SPREAD_PORT) : spreadName);
  if (match === null) throw illegal(spreadName, `must have one of the forms ${FORMS}`, FORMS);
  const port = Number(match[1]);
  if (port < 1 || port > 65_535)
    throw illegal(spreadName, 'has an invalid port; it must be from 1 to 65535', '1..65535');
  const host = match[2];
  if (host === undefined) {
    if (platform === 'win32') return { kind: 'tcp', host: 'localhost', port };
    return { kind: 'unix', path: `${UNIX_SOCKET_FOLDER}/${port}` };
  }
  return { kind: 'tcp', host: checkHost(spreadName, host), port };
}

/** The Spread name of `address`, which `parseAddress` accepts. */
export function formatAddress(address: SpreadAddress): string {
  if (address.kind === 'tcp') return `${address.port}@${address.host}`;
  const port = new RegExp(`^${UNIX_SOCKET_FOLDER}/([1-9]\\d{0,4})$`).exec(address.path)?.[1];
  return port !== undefined && Number(port) <= 65_535 ? port : address.path;
}

function unixAddress(path: string): SpreadAddress {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH) {
    throw illegal(
      path,
      `has a socket path of ${bytes} bytes; it must have at most ${MAX_SOCKET_PATH}`,
      `1..${MAX_SOCKET_PATH} bytes`,
    );
  }
  if (path.includes('\0') || path.endsWith('/')) throw illegal(path, 'is not the path of a socket', FORMS);
  return { kind: 'unix', path };
}

function checkHost(spreadName: string, written: string): string {
  const bracketed = written.startsWith('[') || written.endsWith(']');
  const host = bracketed ? written.slice(1, -1) : written;
  if (bracketed && (!/^\[.*\]$/s.test(written) || !isIPv6(host))) {
    throw illegal(spreadName, 'has brackets, but no IPv6 address in them', FORMS);
  }
  if (isIPv4(host) || isIPv6(host)) return host;
  if (host.length > MAX_HOST) {
    throw illegal(
      spreadName,
      `has a host of ${host.length} characters; it must have at most ${MAX_HOST}`,
      `1..${MAX_HOST} characters`,
    );
  }
  if (!HOST_NAME.test(host))
    throw illegal(spreadName, `has an invalid host after the @; the forms are ${FORMS}`, FORMS);
  return host;
}

function illegal(spreadName: string, what: string, bound: string): SpreadError {
  const shown = spreadName.length > 80 ? `${spreadName.slice(0, 77)}...` : spreadName;
  return new SpreadError('ILLEGAL_SPREAD', `the daemon's Spread name ${JSON.stringify(shown)} ${what}`, {
    field: 'daemon',
    bound,
  });
}
