import type { Socket } from 'node:net';

/** The beginning of what every HTTP/2 client says first (RFC 9113 §3.4); no HTTP/1 request begins so. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0');

/** Who serves what. The bytes that were looked at are still there to be read. */
export interface ProtocolServers {
  /** @param beginning - the first bytes, at most as many as the preface of HTTP/2 has */
  http1(socket: Socket, beginning: Buffer): void;
  http2(socket: Socket): void;
}

/**
 * Distinguishes HTTP/2 from HTTP/1 on a new connection by its first bytes. A client that does not say enough within
 * `timeoutMs` is cut: the shortest HTTP/1 request is longer than what is looked at.
 */
export function sniffProtocol(socket: Socket, servers: ProtocolServers, timeoutMs: number): void {
  const cut = () => socket.destroy();
  const timer = setTimeout(cut, timeoutMs);
  const stop = () => clearTimeout(timer);
  // No other listener exists yet, and a reset before the first byte must not end the process.
  socket.on('error', cut);
  socket.once('close', stop);
  const look = () => {
    const beginning: Buffer | null = socket.read(HTTP2_PREFACE.length);
    if (beginning === null) {
      if (!socket.readableEnded && !socket.destroyed) socket.once('readable', look);
      return;
    }
    stop();
    socket.off('error', cut);
    socket.off('close', stop);
    socket.off('end', cut);
    socket.unshift(beginning);
    if (beginning.equals(HTTP2_PREFACE)) {
      // HTTP/1 servers accept half-open connections; HTTP/2 has no use for one.
      socket.allowHalfOpen = false;
      servers.http2(socket);
    } else {
      servers.http1(socket, beginning);
    }
  };
  socket.once('end', cut);
  look();
}
