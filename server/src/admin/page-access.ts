import type { IncomingMessage } from 'node:http';
import { isIP, isIPv4 } from 'node:net';
import type { AdminCredential } from '../grpc/calls/credentials.js';
import { type Answer, methodNotAllowed, TEXT } from './answer.js';

/** Who may use a page that shows or changes the state of the sidecar. */
export interface PageAccess {
  /** What a request must bring. Undefined: direct requests from this machine, or from this pod, need nothing. */
  readonly credential?: AdminCredential | undefined;
  /** Called for requests that were rejected for another reason than the credential. */
  onRefused(why: string, peer: string): void;
}

/**
 * What a request gets that may not change the state of the sidecar; undefined: it may.
 */
export function refusal(access: PageAccess, request: IncomingMessage): Answer | undefined {
  if (request.method !== 'POST') return methodNotAllowed('POST');
  const { origin, 'sec-fetch-site': site } = request.headers;
  // A browser names the page that sends a request, also its own. No page may send one: that would be a trap for an
  // operator. A browser that opens the address itself sends `none`.
  if (origin !== undefined || (site !== undefined && site !== 'none')) {
    return refused(access, request, 'requests from browsers are rejected');
  }
  return credentialRefusal(access, request);
}

/** What a request gets that may not read the state of the sidecar; undefined: it may. */
export function readRefusal(access: PageAccess, request: IncomingMessage): Answer | undefined {
  return readOnlyRefusal(access, request) ?? credentialRefusal(access, request);
}

/**
 * What a request gets that may not read the files of the status page; undefined: it may. The files contain no state, and
 * a browser sends no token with an address. If there is a token, only the data behind the page needs it.
 */
export function fileRefusal(access: PageAccess, request: IncomingMessage): Answer | undefined {
  const refused = readOnlyRefusal(access, request);
  if (refused || access.credential) return refused;
  return credentialRefusal(access, request);
}

/** The part of the rule for reading that no token lifts. */
function readOnlyRefusal(access: PageAccess, request: IncomingMessage): Answer | undefined {
  const methods = ['GET', 'HEAD'];
  if (!methods.includes(request.method ?? '')) return methodNotAllowed(methods.join(', '));
  const { host, origin, 'sec-fetch-site': site } = request.headers;
  // The status page sends `same-origin`, without an origin.
  const isOfOtherPage = site !== undefined && site !== 'none' && site !== 'same-origin';
  if (origin !== undefined || isOfOtherPage) {
    const why =
      'requests from other web pages are rejected; type the address into the address bar of the browser';
    return refused(access, request, why);
  }
  // The owner of a domain can let its name point to this machine, and so read this port with a web page of the same
  // origin (DNS rebinding).
  if (access.credential === undefined && !isLocalName(host)) {
    const why =
      'without an admin token, the host of the address must be an IP address, localhost or a name without a dot';
    return refused(access, request, why);
  }
  return undefined;
}

/** What a request gets that lacks the admin token. If there is none, what a request gets that is not direct. */
function credentialRefusal(access: PageAccess, request: IncomingMessage): Answer | undefined {
  const { authorization } = request.headers;
  if (access.credential) {
    const given = authorization === undefined ? [] : [authorization];
    if (access.credential.acceptsHeader(given)) return undefined;
    const body = 'the admin token is required as authorization: Bearer <token>\n';
    return { status: 401, type: TEXT, body, headers: { 'www-authenticate': 'Bearer' } };
  }
  const proxy = proxyTrace(request);
  if (proxy !== undefined)
    return refused(
      access,
      request,
      `the request came through a proxy (${proxy}), which may forward requests of other machines; without an admin token, send the request directly`,
    );
  if (isLoopback(request.socket.remoteAddress)) return undefined;
  return refused(
    access,
    request,
    'without an admin token, only requests from this machine or pod are accepted',
  );
}

function refused(access: PageAccess, request: IncomingMessage, why: string): Answer {
  const { remoteAddress, remotePort } = request.socket;
  access.onRefused(why, `${remoteAddress}:${remotePort}`);
  return { status: 403, type: TEXT, body: `${why}\n` };
}

/** Headers that proxies add: the standard ones, those of common proxies, and those of service meshes. */
const PROXY_HEADERS =
  /^(forwarded|via|x-forwarded(-.*)?|x-real-ip|x-client-ip|x-original-forwarded-for|x-cluster-client-ip|true-client-ip|cf-connecting-ip|fastly-client-ip|x-envoy-.*|l5d-.*)$/;
/** Where Istio's proxy connects from when it forwards a request from outside of the pod. */
const MESH_ADDRESS = '127.0.0.6';

/** What shows that a proxy forwarded the request: the name of a header, or the peer's address. */
function proxyTrace({ headers, socket }: IncomingMessage): string | undefined {
  const header = Object.keys(headers).find((name) => PROXY_HEADERS.test(name));
  if (header !== undefined) return `header ${header}`;
  return plainAddress(socket.remoteAddress) === MESH_ADDRESS ? `peer ${MESH_ADDRESS}` : undefined;
}

function plainAddress(address = ''): string {
  return address.replace(/^::ffff:/i, '');
}

function isLoopback(address = ''): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** Whether the header `host` has a name that no owner of a domain controls. Clients of HTTP/1.0 send none. */
function isLocalName(host = 'localhost'): boolean {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  const address = name.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 || !name.includes('.') || name.endsWith('.localhost');
}
