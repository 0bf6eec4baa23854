import { type NetConnectOpts, connect as openSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GrpcServer, type GrpcServerOptions } from '../../../../server/src/grpc/server.js';
import { HealthBoard } from '../../../../server/src/grpc/services/health.js';
import { TlsEndpoint } from '../../../../server/src/grpc/transport/tls-endpoint.js';
import { TestAuthority } from '../../../support/network/certificates.js';
import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  grpcMessage,
  PREFACE,
} from '../../../support/network/http2-frames.js';
import { RawHttp2 } from '../../../support/network/raw-http2.js';
import { boundsWith, GRPC_BOUNDS } from '../../../support/sidecars/grpc-bounds.js';
import { temporaryFolder } from '../../../support/tmp.js';
import { until } from '../../../support/until.js';

const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';

async function start(options: Partial<GrpcServerOptions> = {}) {
  const server = new GrpcServer({
    services: [new HealthBoard([]).registration()],
    bounds: GRPC_BOUNDS,
    ...options,
  });
  const path = join(temporaryFolder(), 'grpc');
  const [tcp] = await server.listen([
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    { kind: 'unix', path },
  ]);
  onTestFinished(() => server.stop({ graceMs: 0 }));
  const places: Record<'tcp' | 'unix', NetConnectOpts> = {
    tcp: { host: '127.0.0.1', port: tcp?.kind === 'tcp' ? tcp.port : 0 },
    unix: { path },
  };
  return { server, places };
}

/** A connection that sends exactly these bytes. */
function say(to: NetConnectOpts, ...bytes: Buffer[]) {
  const socket: Socket = openSocket(to);
  const state = { socket, closed: false };
  socket.on('error', () => {});
  socket.on('data', () => {});
  socket.on('close', () => {
    state.closed = true;
  });
  for (const part of bytes) socket.write(part);
  onTestFinished(() => void socket.destroy());
  return state;
}

/** An HTTP/2 client after a successful call. */
async function served(to: NetConnectOpts): Promise<RawHttp2> {
  const raw = await RawHttp2.connect(to);
  onTestFinished(() => void raw.socket.destroy());
  raw.write(
    frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, callHeaders(CHECK)),
    frame(FRAME.DATA, FLAG.END_STREAM, 1, grpcMessage(Buffer.alloc(0))),
  );
  await until(() => raw.isAnswered(1), { what: 'a call is answered' });
  return raw;
}

describe.each(['tcp', 'unix'] as const)('a connection over %s', (kind) => {
  it('on which HTTP/2 does not start is closed, and no other', async () => {
    const { server, places } = await start({ bounds: boundsWith({ openingTimeoutMs: 100 }) });
    const place = places[kind];
    const idle = await served(place);
    const halves = [
      say(place),
      say(place, PREFACE.subarray(0, 1)),
      say(place, PREFACE.subarray(0, 20)),
      say(place, PREFACE),
      say(place, PREFACE, frame(FRAME.SETTINGS).subarray(0, 5)),
    ];
    await until(() => halves.every(({ closed }) => closed), { what: 'all are closed' });
    expect(server.connections).toBe(1);
    expect(idle.closed).toBe(false);
  });

  it('has no time limit after the start', async () => {
    const { places } = await start({ bounds: boundsWith({ openingTimeoutMs: 50 }) });
    const slow = say(places[kind]);
    const raw = await RawHttp2.connect(places[kind]);
    // The silent connection, which is older, has been closed.
    await until(() => slow.closed);
    const later = say(places[kind]);
    await until(() => later.closed);
    expect(raw.closed).toBe(false);
    raw.socket.destroy();
  });
});

describe('a TLS handshake', () => {
  it('that is not finished in time is aborted', async () => {
    const certificate = await (await TestAuthority.create()).server();
    const failures: string[] = [];
    const tls = new TlsEndpoint(
      { certificate: Buffer.from(certificate.cert), key: Buffer.from(certificate.key) },
      { handshakeTimeoutMs: 100, onFailure: (failure) => failures.push(failure) },
    );
    const { places } = await start({ tls });
    const halves = [say(places.tcp), say(places.tcp, Buffer.of(22, 3, 1, 2, 0, 1))];
    await until(() => halves.every(({ closed }) => closed), { what: 'both are closed' });
    expect(failures).toEqual(['timeout', 'timeout']);
  });
});

describe('a call whose request does not arrive', () => {
  it('is ended, and calls with a request continue', async () => {
    const { server, places } = await start({ bounds: boundsWith({ requestTimeoutMs: 200 }) });
    const raw = await served(places.tcp);
    raw.write(
      frame(FRAME.HEADERS, FLAG.END_HEADERS, 3, callHeaders(WATCH)),
      frame(FRAME.DATA, FLAG.END_STREAM, 3, grpcMessage(Buffer.alloc(0))),
      // Nothing, a part of the length, or a part of the message.
      frame(FRAME.HEADERS, FLAG.END_HEADERS, 5, callHeaders(CHECK)),
      frame(FRAME.HEADERS, FLAG.END_HEADERS, 7, callHeaders(CHECK)),
      frame(FRAME.DATA, 0, 7, Buffer.of(0, 0)),
      frame(FRAME.HEADERS, FLAG.END_HEADERS, 9, callHeaders(WATCH)),
      frame(FRAME.DATA, 0, 9, grpcMessage(Buffer.alloc(100)).subarray(0, 50)),
    );
    await until(() => server.openCalls === 4);
    const isOver = (stream: number) => raw.resetOf(stream) !== undefined;
    await until(() => [5, 7, 9].every(isOver), { what: 'three have ended' });
    expect(raw.isAnswered(3)).toBe(true);
    expect(isOver(3)).toBe(false);
    expect(server.openCalls).toBe(1);
  });
});
