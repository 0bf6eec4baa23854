import { describe, expect, it, onTestFinished } from 'vitest';
import { CODE, callHeaders, FLAG, FRAME, frame, PREFACE } from '../../support/network/http2-frames.js';
import { RawHttp2 } from '../../support/network/raw-http2.js';
import { until, within } from '../../support/until.js';
import { answered, raw, start } from './admin-client.js';

describe('limits', () => {
  it('reject large headers', async () => {
    const { port } = await start({ maxHeaderBytes: 1000 });
    const client = raw(port);
    client.socket.write(`GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(1000)}\r\n\r\n`);
    await until(() => client.closed);
    expect(client.received).toMatch(/^HTTP\/1.1 431 /);
  });

  it('disconnect clients that send nothing, or too little', async () => {
    const { port } = await start({ headersTimeoutMs: 50 });
    const clients = [raw(port), raw(port), raw(port)];
    clients[1]!.socket.write('PRI *');
    clients[2]!.socket.write('GET /livez HTTP/1.1\r\n');
    await until(() => clients.every(({ closed }) => closed), { what: 'all cut' });
    expect(clients[2]!.received).toMatch(/^(HTTP\/1.1 408 |$)/);
  });

  it('disconnect clients that send too slowly, leave a request unfinished, stay idle or do not read', async () => {
    const { port, state, get } = await start({ headersTimeoutMs: 100, idleTimeoutMs: 300 });
    state.metrics = () => 'x'.repeat(20 * 1024 * 1024);
    const [drips, blank, unfinished, idle, deaf] = [raw(port), raw(port), raw(port), raw(port), raw(port)];
    const drip = setInterval(() => {
      drips.socket.write('x');
      blank.socket.write('\r\n');
    }, 20);
    onTestFinished(() => clearInterval(drip));
    drips.socket.write('GET /livez HTTP/1.1\r\nhost: x\r\nx-y: ');
    unfinished.socket.write('POST /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
    for (const { socket } of [idle, blank]) socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
    deaf.socket.pause();
    deaf.socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => [drips, unfinished, idle, blank].every(({ closed }) => closed), {
      what: 'four are cut',
    });
    // A client that does not read notices its end only by a write.
    let cut = false;
    deaf.socket.on('error', () => {
      cut = true;
    });
    const write = () => {
      deaf.socket.write('\r\n');
      return cut;
    };
    await until(write, { what: 'the one that does not read is cut' });
    expect(unfinished.received).toMatch(/^HTTP\/1.1 405 /);
    expect(idle.received).toMatch(/ok\n$/);
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  it('disconnect clients that start HTTP/2 without a call, or with half a call', async () => {
    const { port } = await start({ headersTimeoutMs: 100, idleTimeoutMs: 300 });
    const mute = raw(port);
    mute.socket.write(PREFACE);
    const half = await RawHttp2.connect({ port, host: '127.0.0.1' });
    half.write(frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, callHeaders('/grpc.health.v1.Health/Check')));
    await until(() => mute.closed && half.closed, { what: 'both are cut' });
    expect(half.resetOf(1)).toBe(CODE.NO_ERROR);
  });

  it('disconnect the oldest connection of the address with the most when there are too many', async () => {
    const { port } = await start({ maxConnections: 3 });
    const other = raw(port, '127.0.0.2');
    await until(() => answered(other));
    const [first, second] = [raw(port), raw(port)];
    await until(() => answered(first));
    await until(() => answered(second));
    const third = raw(port);
    await until(() => answered(third), { what: 'the new connection is served' });
    await until(() => first.closed, { what: 'the oldest is cut' });
    expect([other.closed, second.closed]).toEqual([false, false]);
  });

  it('disconnect the oldest HTTP/2 connection when there are too many', async () => {
    const { port, get } = await start({ maxHttp2Connections: 2 });
    const connections: RawHttp2[] = [];
    for (let i = 0; i < 4; i++) {
      const connection = await RawHttp2.connect({ port, host: '127.0.0.1' });
      connections.push(connection);
      await until(() => connection.count(FRAME.SETTINGS) > 0);
    }
    onTestFinished(() => {
      for (const { socket } of connections) socket.destroy();
    });
    await until(() => connections.filter(({ closed }) => closed).length === 2);
    expect(connections.map(({ closed }) => closed)).toEqual([true, true, false, false]);
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  it('respond to 1,900 pipelined requests in order', async () => {
    const { port, state, get } = await start();
    let requests = 0;
    let give: (page: string) => void = () => {};
    state.metrics = () => {
      requests++;
      return new Promise((resolve) => {
        give = resolve;
      });
    };
    const client = raw(port);
    const rest = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1899);
    client.socket.write(`GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n${rest}`);
    await until(() => requests === 1);
    // The packet has arrived. The later requests wait for the first one.
    expect(await get('/livez')).toMatchObject({ status: 200 });
    expect(client.received).toBe('');
    give('first\n');
    await until(() => client.received.split('ok\n').length === 1900, { timeoutMs: 15_000 });
    expect(client.received.indexOf('first\n')).toBeLessThan(client.received.indexOf('ok\n'));
  });

  it('render one page of metrics for all waiting requests', async () => {
    const { state, get } = await start();
    let requests = 0;
    let give: (page: string) => void = () => {};
    state.metrics = () => {
      requests++;
      return new Promise((resolve) => {
        give = resolve;
      });
    };
    const pages = Array.from({ length: 20 }, (_, index) => get('/metrics', index % 2 ? 'HEAD' : 'GET'));
    await until(() => requests === 1);
    // The response to a later probe shows that they have arrived.
    await get('/livez');
    give('shared\n');
    for (const [index, page] of (await Promise.all(pages)).entries())
      expect(page).toMatchObject({ status: 200, body: index % 2 ? '' : 'shared\n' });
    expect(requests).toBeLessThanOrEqual(2);
  });

  it('respond with 503 when too many requests for the metrics are open', async () => {
    const { state, get, port } = await start({ maxScrapes: 2 });
    state.metrics = () => new Promise(() => {});
    for (const client of [raw(port), raw(port)])
      client.socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    const answer = await until(async () => {
      const signal = AbortSignal.timeout(200);
      return fetch(`http://127.0.0.1:${port}/metrics`, { signal }).catch(() => undefined);
    });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  it('disconnect a client that does not read its metrics for a second, in favor of one that reads', async () => {
    const { state, get, port } = await start({ maxScrapes: 1 });
    state.metrics = () => 'x'.repeat(20 * 1024 * 1024);
    const deaf = raw(port);
    deaf.socket.pause();
    deaf.socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => get('/metrics').then(({ status: code }) => code === 503));
    await until(() => get('/metrics').then(({ status: code }) => code === 200), {
      what: 'the slow client loses its place',
    });
  });

  it.each([
    ['chunked', 'transfer-encoding: chunked', 411],
    ['large', 'content-length: 4097', 413],
  ])('reject a %s body and close the connection', async (_, header, code) => {
    const { port } = await start();
    const client = raw(port);
    client.socket.write(`GET /livez HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`);
    await until(() => client.closed, { what: 'the connection is closed' });
    expect(client.received).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
  });

  it('respond to a client that has half-closed its connection', async () => {
    const { port, state } = await start();
    let give: (page: string) => void = () => {};
    state.metrics = () =>
      new Promise((resolve) => {
        give = resolve;
      });
    const client = raw(port);
    client.socket.end('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => client.socket.writableFinished);
    const giving = setInterval(() => give('late\n'), 10);
    onTestFinished(() => clearInterval(giving));
    await until(() => client.closed, { what: 'the connection is closed' });
    expect(client.received).toMatch(/late\n$/);
  });

  it('survive clients that reset, at every stage', async () => {
    const { port, get } = await start();
    for (const request of [
      '',
      'PRI *',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'GET /met',
      'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n',
    ]) {
      const client = raw(port);
      await until(() => client.socket.readyState === 'open');
      client.socket.write(request);
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.resetAndDestroy();
    }
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  it('let a started response finish after a stop, for a limited time', async () => {
    const { server, state, get } = await start();
    let answer: (page: string) => void = () => {};
    let requests = 0;
    state.metrics = () => {
      requests += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const page = async () => (await get('/metrics').catch(() => undefined))?.body ?? 'cut';
    const answered = page();
    await until(() => requests === 1);
    const stopped = server.stop({ graceMs: 300 });
    answer('late\n');
    await within(stopped, 'the stop');
    expect(await answered).toBe('late\n');
  });

  it('abort a response that takes too long at a stop', async () => {
    const { server, state, get } = await start();
    let requests = 0;
    state.metrics = () => {
      requests += 1;
      return new Promise(() => {});
    };
    const page = get('/metrics').catch(() => 'cut');
    await until(() => requests === 1);
    await within(server.stop({ graceMs: 50 }), 'the stop');
    expect(await page).toBe('cut');
  });

  it('leave no connection after a stop', async () => {
    const { server, port } = await start();
    const idle = raw(port);
    const http2 = raw(port);
    http2.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const kept = raw(port);
    kept.socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => kept.received.endsWith('ok\n') && http2.received.length > 0);
    await within(server.stop({ graceMs: 10 }), 'the stop');
    await until(() => idle.closed && http2.closed && kept.closed);
  });
});
