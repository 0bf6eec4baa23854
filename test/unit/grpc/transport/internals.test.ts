import { once } from 'node:events';
import {
  connect as connectHttp2,
  constants,
  createServer as createHttp2Server,
  type ServerHttp2Session,
} from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import {
  ServerInterceptingCall as InterceptingCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SentStatus } from '../../../../server/src/grpc/codec/status.js';
import {
  ByMetadata,
  http2ServersOf,
  http2StreamOf,
  interceptData,
  interceptStatus,
  interceptStreams,
  isWrittenOut,
  readOn,
  socketBelow,
  socketOf,
  stopReading,
} from '../../../../server/src/grpc/transport/internals.js';
import { TestAuthority } from '../../../support/network/certificates.js';
import { until } from '../../../support/until.js';

// Each test fails with the message of its row when an upgrade of grpc-js or Node removes an internal that the
// server relies on.
const GONE = {
  http2Servers: 'grpc-js no longer keeps its node:http2 servers in Server.http2Servers',
  stream: 'grpc-js no longer keeps the HTTP/2 stream in the field `stream` of the innermost call',
  sendStatus: 'grpc-js no longer sends its own statuses through sendStatus of the innermost call',
  metadata: 'grpc-js no longer passes the metadata object of the interceptor to the handler',
  data: 'grpc-js no longer reads a request with a listener for `data` when the interceptor runs',
  streams: 'grpc-js no longer serves streams with a listener for `stream`',
  reading: 'Node no longer has _handle.readStop and _handle.readStart of a socket',
  handle: 'Node no longer has _handle.writeQueueSize of a socket',
  parent: 'Node no longer keeps the socket below a TLS connection in _parent',
};

const path = '/test.Echo/Call';
const pass = (bytes: Buffer) => bytes;
const echo: ServiceDefinition = {
  call: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  },
};

interface Seen {
  readonly base: ServerInterceptingCallInterface;
  readonly metadata: Metadata;
}

/** A grpc-js server with one call, and the observations of its interceptor and handler. */
async function serve(onCall: (base: ServerInterceptingCallInterface) => void = () => {}) {
  const seen: { interceptor?: Seen; handler?: Metadata } = {};
  const server = new Server({
    interceptors: [
      (_method, base): ServerInterceptingCall => {
        onCall(base);
        return new InterceptingCall(base, {
          start: (next) =>
            next({
              onReceiveMetadata: (metadata, forward) => {
                seen.interceptor = { base, metadata };
                forward(metadata);
              },
            }),
        });
      },
    ],
  });
  server.addService(echo, {
    call: (call: { metadata: Metadata; request: Buffer }, callback: (e: null, r: Buffer) => void) => {
      seen.handler = call.metadata;
      callback(null, call.request);
    },
  });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer((socket) => injector.injectConnection(socket)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => {
    listener.close();
    server.forceShutdown();
  });
  const session = connectHttp2(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  onTestFinished(() => session.destroy());
  /** The status of one call; `message` is the framed request. */
  const call = async (message = Buffer.from([0, 0, 0, 0, 1, 7]), headers = {}): Promise<string> => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let code = '';
    const note = (given: { 'grpc-status'?: string | string[] | undefined }) => {
      code ||= String(given['grpc-status'] ?? '');
    };
    stream.on('response', note).on('trailers', note).resume();
    stream.end(message);
    await once(stream, 'close');
    return code;
  };
  return { server, seen, call };
}

describe('the internals of grpc-js', () => {
  it('has its HTTP/2 servers', async () => {
    const { server } = await serve();
    expect(http2ServersOf(server), GONE.http2Servers).toHaveLength(1);
  });

  it('serves a stream with a listener for stream', async () => {
    const { server, call } = await serve();
    const paths: unknown[] = [];
    let isServed = false;
    interceptStreams(server, (stream, headers, serve) => {
      paths.push(headers[':path']);
      if (isServed) serve();
      else stream.close(constants.NGHTTP2_NO_ERROR);
    });
    expect(await call(), GONE.streams).toBe('');
    isServed = true;
    expect(await call(), GONE.streams).toBe(String(status.OK));
    expect(paths, GONE.streams).toEqual([path, path]);
  });

  it('has the HTTP/2 stream and socket of a call', async () => {
    let stream: unknown;
    let socket: unknown;
    const { call } = await serve((base) => {
      stream = http2StreamOf(base)?.id;
      socket = socketOf(base)?.remotePort;
    });
    await call();
    expect(stream, GONE.stream).toBeTypeOf('number');
    expect(socket, GONE.stream).toBeTypeOf('number');
  });

  it('sends its own statuses through sendStatus', async () => {
    const statuses: SentStatus[] = [];
    const { call } = await serve((base) =>
      interceptStatus(base, (given) => {
        statuses.push(given);
        return { ...given, code: status.DATA_LOSS };
      }),
    );
    // grpc-js itself rejects a compression that it does not know.
    const code = await call(Buffer.from([1, 0, 0, 0, 1, 7]), { 'grpc-encoding': 'unknown' });
    expect(statuses, GONE.sendStatus).toHaveLength(1);
    expect(code, GONE.sendStatus).toBe(String(status.DATA_LOSS));
  });

  it('passes the metadata of the interceptor to the handler', async () => {
    const { seen, call } = await serve();
    await call();
    const known = new ByMetadata<Seen>();
    known.set(seen.interceptor!.metadata, seen.interceptor!);
    expect(known.get(seen.handler!), GONE.metadata).toBe(seen.interceptor);
    expect(known.get(new Metadata())).toBeUndefined();
  });

  it('reads a request with a listener for data', async () => {
    const pieces: Buffer[] = [];
    const { call } = await serve((base) =>
      interceptData(http2StreamOf(base)!, (chunk, take) => {
        pieces.push(chunk);
        take(chunk);
      }),
    );
    expect(await call(), GONE.data).toBe(String(status.OK));
    expect(Buffer.concat(pieces).at(-1), GONE.data).toBe(7);
  });
});

describe('the internals of Node', () => {
  it('knows the bytes of a socket that the kernel has not accepted', async () => {
    const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const accepted = once(listener, 'connection');
    const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    const [[peer]] = (await Promise.all([accepted, once(socket, 'connect')])) as [[Socket], unknown];
    onTestFinished(() => {
      for (const end of [socket, peer]) end.destroy();
      listener.close();
    });
    await until(() => isWrittenOut(socket), { what: GONE.handle });
    socket.write(Buffer.alloc(64 << 20));
    expect(isWrittenOut(socket), GONE.handle).toBe(false);
    peer.resume();
    await until(() => isWrittenOut(socket), { what: GONE.handle });
  });

  it('stops reading the socket of an HTTP/2 session, and reads on', async () => {
    const listener = createHttp2Server((request, response) => response.end(request.url));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const accepted = once(listener, 'session');
    const client = connectHttp2(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    onTestFinished(() => {
      client.destroy();
      listener.close();
    });
    const [[session]] = (await Promise.all([accepted, once(client, 'connect')])) as [
      [ServerHttp2Session],
      unknown,
    ];
    let pings = 0;
    const ping = () =>
      new Promise<void>((resolve, reject) => {
        client.ping((error) => {
          pings++;
          if (error) reject(error);
          else resolve();
        });
      });
    await ping();
    stopReading(session.socket);
    const pingResponse = ping();
    // A round trip of another connection: by then, the bytes of the first one have arrived.
    const other = connectHttp2(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    onTestFinished(() => other.destroy());
    await new Promise((resolve) => other.ping(resolve));
    await new Promise((resolve) => other.ping(resolve));
    expect(pings, GONE.reading).toBe(1);
    readOn(session.socket);
    await pingResponse;
    expect(pings, GONE.reading).toBe(2);
  });

  it('knows the socket below a TLS connection', async () => {
    const { cert, key } = await (await TestAuthority.create()).server();
    const secure = createTlsServer({ cert, key });
    const listener = createServer((socket) => secure.emit('connection', socket)).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const accepted = once(listener, 'connection');
    const connected = once(secure, 'secureConnection');
    const client = connectTls({
      port: (listener.address() as AddressInfo).port,
      host: 'localhost',
      rejectUnauthorized: false,
    });
    onTestFinished(() => {
      client.destroy();
      listener.close();
    });
    const [[below], [connection]] = await Promise.all([accepted, connected]);
    expect(socketBelow(connection), GONE.parent).toBe(below);
    connection.destroy();
  });
});
