import type { Http2Session, ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { CheckedTimer } from '../../../timing/pause-aware-timer.js';
import { http2ServersOf, isWrittenOut } from '../internals.js';

interface Connection {
  readonly bytesRead: number;
}

/** How long a ping may take to leave this process. Unit: ms. */
const LEAVE_MS = 100;
/** How often the ping has to be found waiting before the session counts as dead. */
const CONFIRMATIONS = 3;

/**
 * Closes connections whose HTTP/2 session has ended without a word. After most breaches of the protocol Node sends GOAWAY, then neither
 * reads nor closes the connection (seen in 20.20.2): it stays, with its descriptor, when the client has long gone, until the
 * keep-alive of grpc-js finds out. A client that breaks connections on purpose could thus take all descriptors of the
 * process.
 *
 * Such a session takes a ping and does not send it, although nothing is before it. A client that is only slow has bytes in the
 * kernel's queue; it is left alone. So is every session after a pause of this process: the ping has to be found waiting several
 * times, by timers that were not late.
 *
 * Call it once the server's injector or listeners have been made.
 *
 * @param silenceMs - how long nothing may happen on a connection before it is looked at
 */
export function closeDeadSessions(server: Server, silenceMs: number): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on('session', (session) => watch(session, silenceMs));
  }
}

function watch(session: ServerHttp2Session, silenceMs: number): void {
  const connection = session.socket as unknown as Connection;
  let alive = -1;
  session.setTimeout(silenceMs, () => {
    // Nothing but the answer to our last ping has come since: it has not ended meanwhile.
    if (session.destroyed || connection.bytesRead === alive) return;
    let answered = false;
    try {
      session.ping((error) => {
        answered = true;
        if (!error) alive = connection.bytesRead;
      });
    } catch {
      return;
    }
    let found = 0;
    const check = new CheckedTimer((late) => {
      if (answered || session.destroyed || !isStuck(session, connection)) return;
      found = late ? 0 : found + 1;
      if (found === CONFIRMATIONS) session.destroy();
      else check.set(LEAVE_MS);
    });
    check.set(LEAVE_MS);
  });
}

function isStuck(session: Http2Session, connection: Connection): boolean {
  return (session.state.outboundQueueSize ?? 0) > 0 && isWrittenOut(connection);
}
