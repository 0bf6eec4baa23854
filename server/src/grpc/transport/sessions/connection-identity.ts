import type { Duplex } from 'node:stream';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { socketOf } from '../internals.js';

/**
 * The identity of a connection's peer: `unix`, `tcp`, `tls` without a required client certificate, otherwise
 * `certificate:<digest>`.
 */
export type ConnectionIdentity = 'unix' | 'tcp' | 'tls' | `certificate:${string}`;

const IDENTITY = Symbol('identity of the connection');

type Identified = { [IDENTITY]?: ConnectionIdentity };

/** Call it before the connection is served. */
export function identifyConnection(connection: Duplex, identity: ConnectionIdentity): void {
  (connection as Identified)[IDENTITY] = identity;
}

/**
 * The identity of a call's connection. Undefined when the connection is closed.
 *  grpc-js reports a call's peer only as an address, which Unix sockets do not have, and would parse the client
 * certificate again for each call.
 */
export function connectionIdentityOf(call: ServerInterceptingCallInterface): ConnectionIdentity | undefined {
  return (socketOf(call) as Identified | undefined)?.[IDENTITY];
}
