import { isIPv4, isIPv6 } from 'node:net';
import { status } from '@grpc/grpc-js';
import { DEFAULT_SIDECAR_PORT } from './constants.js';
import { SIDECAR_DOMAIN, SpreadError } from './spread-error.js';

/** The address of a sidecar. */
export type Target =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** The target forms of all clients. clients/README.md describes them. */
const FORMS =
  'host:port, [ipv6-address]:port, dns:host:port, ipv4:address:port, ipv6:[address]:port or unix:path';
/** Maximum length of the path in a Unix socket address. Unit: bytes. */
const MAX_PATH_BYTES = 107;
const MAX_HOST_CHARACTERS = 253;
const MAX_PORT = 65_535;

/**
 * Parses a target.
 *
 * @param field - the option or environment variable with the target, for error messages
 * @throws {@link SpreadError} FIELD_INVALID
 */
export function parseTarget(text: string, field = 'target'): Target {
  const wrong = (why: string, hint = '') =>
    new SpreadError(`${field} "${text}" ${why}; expected ${FORMS}${hint}`, {
      status: status.INVALID_ARGUMENT,
      reason: 'FIELD_INVALID',
      domain: SIDECAR_DOMAIN,
      metadata: { field, bound: FORMS },
      outcome: 'not-sent',
    });
  const [scheme, rest] = splitScheme(text);
  if (scheme === 'unix') return unixTarget(rest, wrong);
  if (scheme === 'dns') {
    if (!rest.startsWith('//')) return tcpTarget(rest, wrong);
    if (!rest.startsWith('///')) throw wrong('names a DNS server, which is not supported');
    return tcpTarget(rest.slice(3), wrong);
  }
  if (scheme === undefined) return tcpTarget(rest, wrong);
  if (scheme !== 'ipv4' && scheme !== 'ipv6') {
    const hint = /^https?$/i.test(scheme) ? '; set the option tls to use TLS' : '';
    throw wrong(`has the unsupported scheme "${scheme}"`, hint);
  }
  const target = tcpTarget(rest, wrong);
  const isOfFamily = scheme === 'ipv4' ? isIPv4(target.host) : isIPv6(target.host);
  if (!isOfFamily)
    throw wrong(`has an invalid ${scheme === 'ipv4' ? 'IPv4' : 'IPv6'} address "${target.host}"`);
  return target;
}

/** The target in the syntax of gRPC. */
export function toGrpcTarget(target: Target): string {
  return target.kind === 'unix' ? `unix:${target.path}` : `dns:///${hostAndPort(target)}`;
}

/**
 * The target for error messages: always with the port.
 *
 * @param text - the target as the application gave it
 */
export function targetInMessages(text: string, target: Target): string {
  return target.kind === 'unix' ? text : hostAndPort(target);
}

const hostAndPort = ({ host, port }: Target & { kind: 'tcp' }) =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/**
 * Whether the target is on this machine, so that no other machine can read the traffic. A host name other
 * than localhost counts as another machine.
 */
export function isOnThisMachine(target: Target): boolean {
  if (target.kind === 'unix') return true;
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(target.host);
}

type Wrong = (why: string) => Error;

function splitScheme(text: string): [string | undefined, string] {
  const known = /^(unix|dns|ipv4|ipv6):(.*)$/s.exec(text);
  if (known) return [known[1], known[2] as string];
  const at = text.indexOf('://');
  return at < 0 ? [undefined, text] : [text.slice(0, at), text.slice(at + 3)];
}

function unixTarget(rest: string, wrong: Wrong): Target {
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  if (path === '') throw wrong('has no path');
  if (path !== rest && !path.startsWith('/')) throw wrong('has a host before the path');
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) throw wrong(`has a path of ${bytes} bytes (must be at most ${MAX_PATH_BYTES})`);
  return { kind: 'unix', path };
}

function tcpTarget(text: string, wrong: Wrong): Target & { kind: 'tcp' } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed) {
    const host = bracketed[1] as string;
    if (!isIPv6(host) || host.includes('%')) throw wrong(`has an invalid IPv6 address "${host}"`);
    return { kind: 'tcp', host, port: toPort(bracketed[2], wrong) };
  }
  const [host = '', port, ...more] = text.split(':');
  if (more.length > 0 && /^[\da-f:.]+$/i.test(text)) throw wrong('has an IPv6 address without brackets');
  if (more.length > 0) throw wrong(`has an invalid host "${text}"`);
  if (host === '') throw wrong('has no host');
  if (!/^[\w.-]+$/.test(host) || host.length > MAX_HOST_CHARACTERS)
    throw wrong(`has an invalid host "${host}"`);
  return { kind: 'tcp', host, port: toPort(port, wrong) };
}

function toPort(text: string | undefined, wrong: Wrong): number {
  if (text === undefined) return DEFAULT_SIDECAR_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > MAX_PORT)
    throw wrong(`has an invalid port "${text}" (must be from 1 to ${MAX_PORT})`);
  return port;
}
