import type { ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';

/**
 * Who is at the other end of a connection, as far as the connection tells: `unix`, `tcp`, `tls` where no client
 * certificate is asked for, else `certificate:<digest>`.
 */
export type ConnectionIdentity = 'unix' | 'tcp' | 'tls' | `certificate:${string}`;

const IDENTITY = Symbol('identity of the connection');

type Identified = { [IDENTITY]?: ConnectionIdentity };

/** To be called before the connection is served. */
export function identifyConnection(connection: Duplex, identity: ConnectionIdentity): void {
  (connection as Identified)[IDENTITY] = identity;
}

/**
 * The identity of the connection that a call came through; undefined when the connection is gone.
 *
 * grpc-js shows a call's peer only as an address, which Unix sockets do not have, and the client certificate only by
 * parsing it anew for each call. This reaches for the HTTP/2 stream that it keeps in a private field. Should that go
 * away, no identity is found, every call is refused, and tests say so.
 */
export function connectionIdentityOf(call: ServerInterceptingCallInterface): ConnectionIdentity | undefined {
  const { stream } = call as { stream?: ServerHttp2Stream };
  try {
    const socket = stream?.session?.socket as Identified | undefined;
    return socket?.[IDENTITY];
  } catch {
    // Node throws once the session has let go of its socket.
    return undefined;
  }
}
