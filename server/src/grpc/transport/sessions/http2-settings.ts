import type { ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from '../internals.js';

/** Values of SETTINGS in addition to those of grpc-js. Unit of all: bytes. */
export interface Http2Settings {
  /** Bytes that a client can send on one stream before the server has read them: 65,535 to 2^31 - 1. */
  streamWindowBytes: number;
  /** The same for one connection, over all its streams: 65,535 to 2^31 - 1. */
  connectionWindowBytes: number;
  /** Largest size of a call's headers: names, values, and 32 for each (RFC 9113 §6.5.2). */
  maxHeaderBytes: number;
}

/**
 * Sets the receive windows and header limits of all future connections of a server. With HTTP/2's default window
 * of 64 KiB, a sender of batches waits for a round trip every 64 KiB. grpc-js has an option for the window only in
 * its client.
 *  Call it after the server's injector or listeners were created.
 */
export function setHttp2(server: Server, settings: Http2Settings): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.updateSettings({
      initialWindowSize: settings.streamWindowBytes,
      maxHeaderListSize: settings.maxHeaderBytes,
    });
    http2Server.on('session', (session: ServerHttp2Session) =>
      session.setLocalWindowSize(settings.connectionWindowBytes),
    );
  }
}
