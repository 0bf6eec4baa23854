import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** How much a client may send before we have taken it. Unit of all: bytes. */
export interface Http2Windows {
  /** Of one stream: 65,535 to 2^31 - 1. */
  streamBytes: number;
  /** Of one connection, over all its streams: 65,535 to 2^31 - 1. */
  connectionBytes: number;
}

/**
 * Sets the receive windows of the connections that a server will have. HTTP/2's default of 64 KiB makes a
 * sender of batches wait for a round trip every 64 KiB. grpc-js has an option for it in its client only;
 * this reaches for the `node:http2` servers that a grpc-js server keeps in a private map, and from there
 * on uses Node's public API. Should the map go away, connections just keep the default windows, and a test
 * says so.
 *
 * Call it once the server's injector or listeners have been made.
 */
export function setHttp2Windows(server: Server, windows: Http2Windows): void {
  const { http2Servers } = server as unknown as { http2Servers?: unknown };
  if (!(http2Servers instanceof Map)) return;
  for (const http2Server of (http2Servers as Map<Http2Server, unknown>).keys()) {
    http2Server.updateSettings({ initialWindowSize: windows.streamBytes });
    http2Server.on('session', (session: ServerHttp2Session) =>
      session.setLocalWindowSize(windows.connectionBytes),
    );
  }
}
