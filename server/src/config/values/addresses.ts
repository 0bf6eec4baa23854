import { isIPv6, SocketAddress } from 'node:net';
import { Refusal, type ValueType } from './value-type.js';

/** A TCP listen address. */
export interface TcpAddress {
  readonly kind: 'tcp';
  /** A name, an IPv4 address, or an IPv6 address in its shortest form, without brackets. */
  readonly host: string;
  /** 0 to 65535. 0 selects a free port. */
  readonly port: number;
}

/** A Unix socket on which a server listens. */
export interface UnixAddress {
  readonly kind: 'unix';
  /** Absolute, at most 107 bytes. */
  readonly path: string;
}

/** Whether only this machine can reach a server on this host. Of host names, only `localhost` counts. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/i.test(host);
}

/** `127.0.0.1:4814`, `[::1]:4814`, `localhost:0`. */
export const tcpAddress: ValueType<TcpAddress> = {
  expects: 'an address host:port (IPv6 in brackets, port 0 to 65535)',
  placeholder: 'host:port',
  parse: readTcp,
  format: ({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`),
};

/** A TCP address, or `unix:/run/sidecar.sock`. */
export const listenAddress: ValueType<TcpAddress | UnixAddress> = {
  expects: 'an address host:port (IPv6 in brackets, port 0 to 65535) or unix:/absolute/path',
  placeholder: 'address',
  parse: (text) => {
    const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text;
    if (path === text && !text.startsWith('/')) return readTcp(text);
    return { kind: 'unix', path: socketPath.parse(path) };
  },
  format: (address) => (address.kind === 'unix' ? `unix:${address.path}` : tcpAddress.format(address)),
};

/** Path of a Unix socket. The kernel's limit is 108 bytes including the final NUL. */
export const socketPath: ValueType<string> = {
  expects: 'the absolute path of a Unix socket (at most 107 bytes, no comma)',
  placeholder: 'path',
  parse: (text) => {
    if (!text.startsWith('/') || text.endsWith('/'))
      throw new Refusal('it is not the absolute path of a file');
    if (/[\0,]/.test(text)) throw new Refusal('it contains a comma or NUL');
    const bytes = Buffer.byteLength(text);
    if (bytes > 107) throw new Refusal(`it has ${bytes} bytes`);
    return text;
  },
  format: (path) => path,
};

/**
 * A Spread name in the form of Spread's own clients. Only its form is checked here, so that a mistake is reported
 * with its location. The Spread client interprets the name.
 */
export const spreadName: ValueType<string> = {
  expects: 'a Spread name: port, port@host or the absolute path of a Unix socket',
  placeholder: 'spread-name',
  parse: (text) => {
    if (text.startsWith('/')) return socketPath.parse(text);
    const match = /^(\d{1,5})(?:@(\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|[A-Za-z0-9._-]+))?$/.exec(
      text,
    );
    if (!match) throw new Refusal(/^[^@]+:\d+$/.test(text) ? 'write port@host, not host:port' : '');
    const port = Number(match[1]);
    if (port < 1 || port > 65535) throw new Refusal('the port is not in the range 1 to 65535');
    const host = match[2];
    if (host?.includes(':') && !isIPv6(host.replace(/^\[|\]$/g, '')))
      throw new Refusal('the host is not an IPv6 address');
    if (text.length > 300) throw new Refusal('it is longer than 300 bytes');
    return text;
  },
  format: (name) => name,
};

function readTcp(text: string): TcpAddress {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (!match) throw new Refusal(tcpHint(text));
  const [, bracketed, plain = '', digits] = match;
  if (bracketed !== undefined && !isIPv6(bracketed))
    throw new Refusal('there is no IPv6 address in the brackets');
  if (plain === '*') throw new Refusal('the host * is not allowed; use 0.0.0.0 or [::] for all addresses');
  if (bracketed === undefined && plain === '')
    throw new Refusal('the host is missing; use 0.0.0.0 or [::] for all addresses');
  if (bracketed === undefined && !/^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(plain))
    throw new Refusal('the host is not a name or an address');
  const port = Number(digits);
  if (port > 65535) throw new Refusal('the port is more than 65535');
  return { kind: 'tcp', host: bracketed === undefined ? plain : shortest(bracketed), port };
}

/**
 * Each address has one canonical text, so that duplicates are detected. An address with a zone (`%eth0`) stays
 * unchanged, because the zone would be lost.
 */
function shortest(host: string): string {
  return host.includes('%') ? host : new SocketAddress({ address: host, family: 'ipv6' }).address;
}

function tcpHint(text: string): string {
  if (isIPv6(text) || (text.match(/:/g)?.length ?? 0) > 1)
    return 'write an IPv6 address in brackets: [::1]:4813';
  if (/^\d+$/.test(text))
    return 'the host is missing; use 127.0.0.1 for this machine only, or 0.0.0.0 for all addresses';
  return text.includes(':') ? 'the port is not a number' : 'the port is missing';
}
