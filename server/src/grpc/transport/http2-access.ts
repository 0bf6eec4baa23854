// grpc-js keeps the node:http2 objects behind it in private fields. Here is all that reaches for them; what is done with them is
// Node's public API. Should a field go away, what needs it finds nothing, and tests say so.
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server, ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** The HTTP/2 servers behind a gRPC server, once its injector or listeners have been made. */
export function http2ServersOf(server: Server): Http2Server[] {
  const { http2Servers } = server as unknown as { http2Servers?: unknown };
  return http2Servers instanceof Map ? [...(http2Servers as Map<Http2Server, unknown>).keys()] : [];
}

/** The HTTP/2 stream below the innermost call. */
export function http2StreamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream | undefined {
  return (call as { stream?: ServerHttp2Stream }).stream;
}

/** The socket below a call; undefined when the connection is gone. */
export function socketOf(call: ServerInterceptingCallInterface): ServerHttp2Session['socket'] | undefined {
  try {
    return http2StreamOf(call)?.session?.socket;
  } catch {
    // Node throws once the session has let go of its socket.
    return undefined;
  }
}
