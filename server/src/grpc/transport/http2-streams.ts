import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { FairTurns } from '../../timing/fair-turns.js';
import { interceptStreams } from './internals.js';

/**
 * Prevents that a grpc-js server gets streams that are already closed. When this process itself read the first
 * packet of a connection, like the admin port, Node reports a stream in a later turn. By then the client may have
 * reset the stream, or broken the connection, in the same packet. grpc-js immediately responds to an unknown
 * method or content type without checking the stream, and Node's exception would then end the process.
 *  Call it after the server's injector or listeners were created.
 */
export function ignoreGoneStreams(server: Server): void {
  interceptStreams(server, (stream, _headers, serve) => {
    if (!stream.destroyed && !stream.closed) serve();
    // The stream is already closed. An error without a listener would end the process.
    else stream.on('error', () => {});
  });
}

/** Informs the client that its call was not processed, so that the client may repeat it (RFC 9113 §8.7). */
export function refuse(stream: ServerHttp2Stream): void {
  stream.on('error', () => {});
  if (stream.destroyed) return;
  // Node creates an error that the server does not read. Its stack trace would cost more than the rest of the
  // rejection.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The cost of reflection, which searches and encodes files. Unit of FairTurns. */
const REFLECTION_COST = 16;

/**
 * Starts the calls of a server in fair turns. StreamGate limits the waiting calls.
 *  Call it after the server's injector or listeners were created.
 */
export function startInTurns(server: Server, turns: FairTurns): void {
  interceptStreams(server, (stream, headers, serve) => {
    let isStarted = false;
    const connection = stream.session ?? stream;
    const cost = String(headers[':path']).startsWith('/grpc.reflection.') ? REFLECTION_COST : 1;
    const start = () => {
      isStarted = true;
      if (cost > 1) turns.charge(connection, cost - 1);
      // The client may have reset the stream while it waited. grpc-js does not check.
      if (!stream.destroyed && !stream.closed) serve();
    };
    turns.run(connection, start, cost, () => refuse(stream));
    // An error without a listener would end the process.
    if (!isStarted) stream.on('error', () => {});
  });
}
