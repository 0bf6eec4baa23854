import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import type { AdminCredential } from '../credentials.js';
import { type Answer, methodNotAllowed, TEXT } from './answer.js';

/** Who may end the sidecar over HTTP, and how it ends. */
export interface QuitPage {
  /** What a request must bring. Undefined: whoever is on this machine, or in this pod, may. */
  credential?: AdminCredential | undefined;
  /** Told of requests that were refused for another reason than the credential. */
  onRefused(why: string, peer: string): void;
  /** Begins to drain. May be called more than once. */
  quit(): void;
}

/** Drains and ends the sidecar at a POST; the name and the habits are those of Envoy and Istio. */
export function quitAnswer(page: QuitPage, request: IncomingMessage): Answer {
  if (request.method !== 'POST') return methodNotAllowed('POST');
  const { authorization, origin, 'sec-fetch-site': site } = request.headers;
  // A browser names the page that posts, also its own. No page is meant to: that would be a trap for an operator.
  if (origin !== undefined || (site !== undefined && site !== 'none')) {
    return refused(page, request, 'this is not for browsers');
  }
  if (page.credential) {
    const given = authorization === undefined ? [] : [authorization];
    if (!page.credential.acceptsHeader(given)) {
      const body = 'this needs the admin credential as authorization: Bearer <token>\n';
      return { status: 401, type: TEXT, body, headers: { 'www-authenticate': 'Bearer' } };
    }
  } else if (!isLoopback(request.socket.remoteAddress)) {
    return refused(
      page,
      request,
      'without an admin credential this is for callers on this machine or in this pod',
    );
  }
  return { status: 200, type: TEXT, body: 'ok\n', afterwards: () => page.quit() };
}

function refused(page: QuitPage, request: IncomingMessage, why: string): Answer {
  const { remoteAddress, remotePort } = request.socket;
  page.onRefused(why, `${remoteAddress}:${remotePort}`);
  return { status: 403, type: TEXT, body: `${why}\n` };
}

function isLoopback(address = ''): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}
