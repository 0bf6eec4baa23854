import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import type { AdminCredential } from '../credentials.js';
import { type Answer, methodNotAllowed, TEXT } from './answer.js';

/** Who may use a page that does something. */
export interface PageAccess {
  /** What a request must bring. Undefined: whoever is on this machine, or in this pod, may. */
  readonly credential?: AdminCredential | undefined;
  /** Told of requests that were refused for another reason than the credential. */
  onRefused(why: string, peer: string): void;
}

/** What a request gets that may not do what it asks for; undefined: it may. */
export function refusal(access: PageAccess, request: IncomingMessage): Answer | undefined {
  if (request.method !== 'POST') return methodNotAllowed('POST');
  const { authorization, origin, 'sec-fetch-site': site } = request.headers;
  // A browser names the page that posts, also its own. No page is meant to: that would be a trap for an operator.
  if (origin !== undefined || (site !== undefined && site !== 'none')) {
    return refused(access, request, 'this is not for browsers');
  }
  if (access.credential) {
    const given = authorization === undefined ? [] : [authorization];
    if (access.credential.acceptsHeader(given)) return undefined;
    const body = 'this needs the admin credential as authorization: Bearer <token>\n';
    return { status: 401, type: TEXT, body, headers: { 'www-authenticate': 'Bearer' } };
  }
  if (isLoopback(request.socket.remoteAddress)) return undefined;
  return refused(
    access,
    request,
    'without an admin credential this is for callers on this machine or in this pod',
  );
}

function refused(access: PageAccess, request: IncomingMessage, why: string): Answer {
  const { remoteAddress, remotePort } = request.socket;
  access.onRefused(why, `${remoteAddress}:${remotePort}`);
  return { status: 403, type: TEXT, body: `${why}\n` };
}

function isLoopback(address = ''): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}
