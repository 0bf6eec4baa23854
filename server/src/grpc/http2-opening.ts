import type { ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './http2-access.js';

/**
 * Cuts connections on which HTTP/2 has not begun within `mostMs` milliseconds: its first bytes and SETTINGS are due at once
 * (RFC 9113 §3.4). Who only connects, or says half a word, would hold a connection for as long as it likes.
 *
 * Call it once the server's injector or listeners have been made.
 */
export function boundOpening(server: Server, mostMs: number): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on('session', (session: ServerHttp2Session) => {
      const timer = setTimeout(() => session.destroy(), mostMs);
      const begun = (): void => clearTimeout(timer);
      session.once('remoteSettings', begun);
      session.once('close', begun);
    });
  }
}
