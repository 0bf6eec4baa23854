import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AdminServer } from '../../../../server/src/admin/admin-server.js';
import { GrpcServer, type TransportOptions } from '../../../../server/src/grpc/server.js';
import { HealthBoard } from '../../../../server/src/grpc/services/health.js';
import { frame, literalHeaders, PREFACE } from '../../../fuzz/network/http2-frames.js';
import { boundsWith, GRPC_BOUNDS } from '../../../support/sidecars/grpc-bounds.js';
import { until } from '../../../support/until.js';

const SETTINGS = frame(4, 0, 0);
/** DATA on the connection itself, which violates the protocol (RFC 9113 §6.1). */
const BREACH = frame(0, 0, 0, Buffer.alloc(8));

const request = (path: string, contentType = 'application/grpc') =>
  frame(
    1,
    4,
    1,
    literalHeaders({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': path,
      ':authority': 'localhost',
      'content-type': contentType,
      te: 'trailers',
    }),
  );

async function start(transport: Partial<TransportOptions> = {}) {
  const server = new GrpcServer({
    services: [new HealthBoard([]).registration()],
    bounds: boundsWith(transport),
  });
  onTestFinished(() => server.stop({ graceMs: 0 }));
  const [address] = await server.listen([{ kind: 'tcp', host: '127.0.0.1', port: 0 }]);
  if (address?.kind !== 'tcp') throw new Error('no TCP address');
  return { server, port: address.port };
}

/** Writes everything in one packet, as far as the system allows. */
function say(port: number, ...frames: Buffer[]): Socket {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.concat([PREFACE, SETTINGS, ...frames]));
  return socket;
}

/** Whether a call of a real client succeeds. */
function serves(port: number): Promise<boolean> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/nothing/There',
    'content-type': 'application/grpc',
  });
  return new Promise((resolve, reject) => {
    stream.on('response', (headers) => {
      session.close();
      resolve(headers['grpc-status'] === '12');
    });
    stream.on('error', reject);
    stream.end();
  });
}

describe('a client that breaks its connection in the packet of its request', () => {
  // The admin port itself reads the first packet, to distinguish HTTP/2 from HTTP/1. Then Node reports a
  // stream only after it has processed the whole packet.
  const startAdmin = async () => {
    const pages = {
      checks: { livez: [], readyz: [], startupz: [] },
      metrics: () => ({ contentType: '', body: '' }),
      onError: () => {},
    };
    const server = new AdminServer({ pages, health: new HealthBoard([]), bounds: GRPC_BOUNDS });
    onTestFinished(() => server.stop({ graceMs: 0 }));
    const address = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    return address.kind === 'tcp' ? address.port : 0;
  };
  const startGrpc = async () => (await start()).port;

  it.each([
    ['resets it', frame(3, 0, 1, Buffer.from([0, 0, 0, 8]))],
    ['breaks the protocol', BREACH],
    ['says goodbye with an error', frame(7, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 2]))],
    ['opens the window by nothing', frame(8, 0, 0, Buffer.alloc(4))],
  ])('%s, does not end the process', async (_, last) => {
    for (const port of [await startAdmin(), await startGrpc()])
      for (const first of [request('/nothing/There'), request('/grpc.health.v1.Health/Check', 'text/html')]) {
        say(port, first, last);
        // An uncaught exception would fail the run.
        expect(await serves(port)).toBe(true);
      }
  });
});

describe('a connection whose session has ended', () => {
  it('is closed, even if Node leaves it open', async () => {
    const { server, port } = await start({ silenceMs: 50 });
    const hostile = Array.from({ length: 20 }, () => say(port, BREACH));
    await until(() => server.connections === 20);
    for (const socket of hostile) socket.destroy();
    await until(() => server.connections === 0, { what: 'the connections are closed' });
  });

  it('is not one with a silent client', async () => {
    const { server, port } = await start({ silenceMs: 20 });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    onTestFinished(() => session.destroy());
    let pings = 0;
    session.on('ping', () => pings++);
    await until(() => pings > 0, { what: 'it is asked' });
    // One check is enough: a silent connection cannot have ended since.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(pings).toBe(1);
    expect(server.connections).toBe(1);
  });
});

describe('a header with an illegal character', () => {
  it('is not logged, because it may be a credential', async () => {
    const { port } = await start();
    const printed: string[] = [];
    const spies = [vi.spyOn(process.stderr, 'write'), vi.spyOn(console, 'error')].map((spy) =>
      spy.mockImplementation((...parts: unknown[]) => {
        printed.push(String(parts[0]));
        return true;
      }),
    );
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    onTestFinished(() => {
      for (const spy of spies) spy.mockRestore();
      session.destroy();
    });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      authorization: 'Bearer s\u00e9cret',
    });
    stream.end(Buffer.alloc(5));
    await new Promise((resolve) => stream.once('response', resolve));
    expect(printed.join('')).not.toContain('Bearer');
  });
});
