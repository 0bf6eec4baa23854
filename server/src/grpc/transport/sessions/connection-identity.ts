import type { Duplex } from 'node:stream';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { socketOf } from '../internals.js';

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
 * parsing it again for each call.
 */
export function connectionIdentityOf(call: ServerInterceptingCallInterface): ConnectionIdentity | undefined {
  return (socketOf(call) as Identified | undefined)?.[IDENTITY];
}
