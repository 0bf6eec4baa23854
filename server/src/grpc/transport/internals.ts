/**
 * Everything that relies on internals of grpc-js or Node, in one file. docs/adr/0009-internals-of-grpc-js.md
 * compares each use with its public alternative. When an upgrade removes an internal,
 * test/unit/grpc/transport/internals.test.ts fails with its name. All other code uses these functions and
 * otherwise only public API.
 */
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Metadata, Server, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { SentStatus } from '../codec/status.js';

/** The HTTP/2 servers of a gRPC server, after its injector or listeners were created. Private field of grpc-js. */
export function http2ServersOf(server: Server): Http2Server[] {
  const { http2Servers } = server as unknown as { http2Servers?: unknown };
  return http2Servers instanceof Map ? [...(http2Servers as Map<Http2Server, unknown>).keys()] : [];
}

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => void;

/**
 * Passes each HTTP/2 stream of a server to `onStream` instead of grpc-js. `serve` passes a stream on to grpc-js.
 * Replaces the present listeners for streams: call it after the server's injector or listeners were created. The
 * last call gets streams first.
 */
export function interceptStreams(
  server: Server,
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, serve: () => void) => void,
): void {
  for (const http2Server of http2ServersOf(server)) {
    const listeners = http2Server.listeners('stream') as OnStream[];
    http2Server.removeAllListeners('stream');
    http2Server.on('stream', (stream: ServerHttp2Stream, ...rest: [IncomingHttpHeaders, number]) =>
      onStream(stream, rest[0], () => {
        for (const listener of listeners) listener.call(http2Server, stream, ...rest);
      }),
    );
  }
}

/** The HTTP/2 stream below the innermost call. Private field of grpc-js. */
export function http2StreamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream | undefined {
  return (call as { stream?: ServerHttp2Stream }).stream;
}

/** The socket below a call. Undefined when the connection is closed. */
export function socketOf(call: ServerInterceptingCallInterface): ServerHttp2Session['socket'] | undefined {
  try {
    return http2StreamOf(call)?.session?.socket;
  } catch {
    // Node throws after the session has released its socket.
    return undefined;
  }
}

/**
 * Passes each status of the innermost call through `change`, also those that grpc-js sends from below every
 * interceptor. Replaces a method of grpc-js's object.
 */
export function interceptStatus(
  call: ServerInterceptingCallInterface,
  change: (status: SentStatus) => SentStatus,
): void {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => send(change(status));
}

/**
 * Finds an interceptor's data of a call in its handler. grpc-js passes only the metadata between them: the handler
 * gets the object that the interceptor passes on.
 */
export class ByMetadata<Value extends object> {
  readonly #values = new WeakMap<Metadata, Value>();

  set(metadata: Metadata, value: Value): void {
    this.#values.set(metadata, value);
  }

  get(metadata: Metadata): Value | undefined {
    return this.#values.get(metadata);
  }
}

/**
 * Passes each chunk of a request to `onChunk` instead of grpc-js. `take` passes a chunk on to grpc-js. Replaces
 * the listeners of grpc-js.
 */
export function interceptData(
  stream: ServerHttp2Stream,
  onChunk: (chunk: Buffer, take: (chunk: Buffer) => void) => void,
): void {
  for (const listener of stream.listeners('data') as ((chunk: Buffer) => void)[]) {
    stream.off('data', listener);
    const take = (chunk: Buffer): void => listener.call(stream, chunk);
    stream.on('data', (chunk: Buffer) => onChunk(chunk, take));
  }
}

/** The used part of a socket's handle. */
interface Handle {
  readonly writeQueueSize?: number;
  readStart?(): void;
  readStop?(): void;
}

function handleOf(socket: object): Handle | undefined {
  return (socket as { _handle?: Handle | null })._handle ?? undefined;
}

/** True when the kernel has accepted everything that was written to a socket. Private field of Node. */
export function isWrittenOut(socket: object): boolean {
  return handleOf(socket)?.writeQueueSize === 0;
}

/** Stops reading a socket below HTTP/2, where Node ignores pause(). Private field of Node. */
export function stopReading(socket: object): void {
  handleOf(socket)?.readStop?.();
}

/**
 * Continues reading after stopReading(). While a write waits for the peer, Node does not read, and restarts by
 * itself.
 */
export function readOn(socket: object): void {
  const handle = handleOf(socket);
  if (!handle?.writeQueueSize) handle?.readStart?.();
}

/** The socket below a TLS connection. Private field of Node. */
export function socketBelow(connection: Socket): Socket | undefined {
  return (connection as { _parent?: Socket })._parent;
}
