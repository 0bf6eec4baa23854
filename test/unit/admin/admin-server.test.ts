import { connect, type Settings } from 'node:http2';
import { Client, credentials, status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rpcErrorOf } from '../../support/sidecars/rpc-error.js';
import { until } from '../../support/until.js';
import { raw, start } from './admin-client.js';

describe('pages', () => {
  it('return the given metrics', async () => {
    const { get } = await start();
    expect(await get('/metrics')).toMatchObject({
      status: 200,
      type: 'text/plain; version=0.0.4',
      body: 'spread_up 1\n',
    });
  });

  it('return 500 without the cause when metrics fail', async () => {
    const { get, state } = await start();
    state.metrics = () => {
      throw new Error('secret');
    };
    const { status: code, body } = await get('/metrics');
    expect(code).toBe(500);
    expect(body).not.toContain('secret');
    expect(state.errors).toHaveLength(1);
  });

  it('return 200 or 503 with the reason for probes', async () => {
    const { get, state } = await start();
    expect(await get('/livez')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await get('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    state.ready = { ok: false, message: 'no connection to 4803' };
    expect(await get('/readyz')).toMatchObject({ status: 503, body: 'daemon: no connection to 4803\n' });
    expect(await get('/livez')).toMatchObject({ status: 200 });
    expect(await get('/startupz')).toMatchObject({ status: 503, body: 'broken: the check itself failed\n' });
  });

  it('list their checks as JSON if requested', async () => {
    const { get, state } = await start();
    state.ready = { ok: false, message: 'down' };
    const { status: code, type, body } = await get('/readyz?verbose');
    expect([code, type]).toEqual([503, 'application/json']);
    expect(JSON.parse(body)).toEqual({
      status: 'failed',
      checks: [
        { name: 'listening', ok: true, message: 'on 1 address' },
        { name: 'daemon', ok: false, message: 'down' },
      ],
    });
  });

  it('return only the headers for HEAD', async () => {
    const { get } = await start();
    const { status: code, body, response } = await get('/metrics', 'HEAD');
    expect([code, body]).toEqual([200, '']);
    expect(response.headers.get('content-length')).toBe('12');
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('reject %s with 405', async (method) => {
    const { get } = await start();
    const { status: code, response } = await get('/livez', method);
    expect([code, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each(['/', '/nothing', '/livez/', '/metrics2', '//metrics'])('return 404 for %s', async (path) => {
    const { get } = await start();
    expect(await get(path)).toMatchObject({ status: 404, body: expect.stringContaining('/readyz') });
  });
});

describe('one port', () => {
  const check = (target: string) => {
    const client = new Client(target, credentials.createInsecure());
    onTestFinished(() => client.close());
    const answer = new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.alloc(0),
        (error, value) => (error ? reject(error) : resolve(value!)),
      );
    });
    return { client, answer };
  };

  it('serves HTTP/1.1 and gRPC health side by side', async () => {
    const { get, target, health } = await start();
    const SERVING = Buffer.from([8, 1]);
    const NOT_SERVING = Buffer.from([8, 2]);
    expect(await check(target).answer).toEqual(SERVING);
    expect(await get('/livez')).toMatchObject({ status: 200 });
    health.setServing(false);
    expect(await check(target).answer).toEqual(NOT_SERVING);
  });

  it('distinguishes them independent of how the bytes arrive', async () => {
    const { port } = await start();
    const client = raw(port);
    for (const byte of 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n') {
      client.socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => client.received.endsWith('ok\n'));
    const http2 = raw(port);
    for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
      http2.socket.write(byte, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
    http2.socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    // The server's SETTINGS frame.
    await until(() => http2.received.length >= 9 && http2.received.charCodeAt(3) === 4);
  });

  it('allows 8 calls at once on an HTTP/2 connection', async () => {
    const { port } = await start();
    const session = connect(`http://127.0.0.1:${port}`);
    onTestFinished(() => session.destroy());
    const settings = await new Promise<Settings>((resolve) => session.once('remoteSettings', resolve));
    expect(settings.maxConcurrentStreams).toBe(8);
  });

  it('serves several requests on one connection', async () => {
    const { port } = await start();
    const client = raw(port);
    client.socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => client.received.includes('ok\n') && client.received.includes('spread_up 1'));
  });

  it('serves only the health service of gRPC', async () => {
    const { target } = await start();
    const client = new Client(target, credentials.createInsecure());
    onTestFinished(() => client.close());
    const error = await new Promise((resolve) => {
      client.makeUnaryRequest(
        '/spread.sidecar.v1.MailboxService/GetVersion',
        (b: Buffer) => b,
        (b) => b,
        Buffer.alloc(0),
        resolve,
      );
    });
    expect(rpcErrorOf(error).code).toBe(status.UNIMPLEMENTED);
  });
});
