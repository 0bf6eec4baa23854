import type { Http2Session, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';
import type { ClientConnection } from '../../../mailbox/lifetime/client-presence.js';
import { http2ServersOf } from '../internals.js';

/** Errors of the kernel when the other end has closed the connection with bytes in flight. */
const CLOSED_BY_PEER: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

const connections = new WeakMap<Http2Session, HttpConnection>();

/** Watches every future connection of a server. Call it after the server's injector or listeners were created. */
export function watchConnections(server: Server): void {
  for (const http2Server of http2ServersOf(server))
    http2Server.on('session', (session: ServerHttp2Session) => {
      connections.set(session, new HttpConnection(session));
    });
}

/** The connection below an HTTP/2 session. Undefined for a session of a server that is not watched. */
export function clientConnectionOf(session: Http2Session | undefined): ClientConnection | undefined {
  return session && connections.get(session);
}

/** Records which side has closed. */
class HttpConnection implements ClientConnection {
  readonly #callbacks = new Set<(byClient: boolean) => void>();
  #byClient: boolean | undefined;

  constructor(session: ServerHttp2Session) {
    const { socket } = session;
    let byClient = false;
    session.once('goaway', () => {
      byClient = true;
    });
    // When the server asks a client to close a session, for example because of its age, the client's close counts as
    // the server's. After the session is destroyed, it has no reference to its socket, so the listener keeps the
    // socket.
    socket.once('end', function (this: Socket) {
      byClient ||= !this.writableEnded && !session.closed;
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      byClient ||= !session.closed && CLOSED_BY_PEER.has(error.code ?? '');
    });
    socket.once('close', () => this.#closed(byClient));
  }

  onClosed(callback: (byClient: boolean) => void): () => void {
    if (this.#byClient !== undefined) callback(this.#byClient);
    else this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  #closed(byClient: boolean): void {
    this.#byClient = byClient;
    for (const callback of this.#callbacks) callback(byClient);
    this.#callbacks.clear();
  }
}
