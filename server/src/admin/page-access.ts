import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
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
 * What a request gets that may not do what it asks for; undefined: it may.
 *
 * @param methods - the methods of the page
 */
export function refusal(
  access: PageAccess,
  request: IncomingMessage,
  methods: readonly string[] = ['POST'],
): Answer | undefined {
  if (!methods.includes(request.method ?? '')) return methodNotAllowed(methods.join(', '));
  const { authorization, origin, 'sec-fetch-site': site } = request.headers;
  // A browser names the page that sends a request, also its own. No page may send one: that would be a trap for an
  // operator. A browser that opens the address itself sends `none`.
  if (origin !== undefined || (site !== undefined && site !== 'none')) {
    return refused(access, request, 'requests from browsers are rejected');
  }
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
