import type { Http2Session, ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { CheckedTimer } from '../../../timing/pause-aware-timer.js';
import { http2ServersOf, isWrittenOut } from '../internals.js';

interface Connection {
  readonly bytesRead: number;
}

/** Time limit for a ping to leave this process. Unit: ms. */
const LEAVE_MS = 100;
/** Number of checks that must find the ping waiting before the session counts as dead. */
const CONFIRMATIONS = 3;

/**
 * Closes connections whose HTTP/2 session has silently ended. After most protocol errors, Node sends GOAWAY, and
 * then neither reads nor closes the connection (seen in 20.20.2). The connection keeps its file descriptor, even
 * after the client has disconnected, until the keepalive of grpc-js detects that. A client that causes such errors
 * on purpose could use up all file descriptors of the process.
 *  Such a session accepts a ping and does not send it, although no bytes are queued before it. A slow client has
 * bytes in the kernel's queue, so its session stays open. Sessions also survive a pause of this process: several
 * checks, by timers that were not late, must find the ping waiting.
 *  Call it after the server's injector or listeners were created.
 *
 * @param silenceMs - time without traffic after which a connection is checked
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
    // Only the response to our last ping has arrived since, so the session is still alive.
    if (session.destroyed || connection.bytesRead === alive) return;
    let hasResponse = false;
    try {
      session.ping((error) => {
        hasResponse = true;
        if (!error) alive = connection.bytesRead;
      });
    } catch {
      return;
    }
    let found = 0;
    const check = new CheckedTimer((late) => {
      if (hasResponse || session.destroyed || !isStuck(session, connection)) return;
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
