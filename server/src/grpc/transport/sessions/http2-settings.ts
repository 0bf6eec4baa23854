import type { ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from '../internals.js';

/** Values of SETTINGS in addition to those of grpc-js. Unit of all: bytes. */
export interface Http2Settings {
  /** How much a client may send on one stream before we have taken it: 65,535 to 2^31 - 1. */
  streamWindowBytes: number;
  /** The same of one connection, over all its streams: 65,535 to 2^31 - 1. */
  connectionWindowBytes: number;
  /** Most bytes of a call's headers: names, values, and 32 for each (RFC 9113 §6.5.2). */
  maxHeaderBytes: number;
}

/**
 * Sets the receive windows and header bounds of the connections that a server will have. HTTP/2's default window of 64 KiB
 * makes a sender of batches wait for a round trip every 64 KiB. grpc-js has an option for that in its client only.
 *
 * Call it once the server's injector or listeners have been made.
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
