import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../../../support/network/fault-proxy.js';
import { until } from '../../../support/until.js';

/** A socket with everything that it has received. */
class End {
  bytes = '';
  chunks = 0;
  ended = false;
  error: string | undefined;

  constructor(readonly socket: Socket) {
    socket.on('data', (data) => {
      this.bytes += data.toString('latin1');
      this.chunks += 1;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    onTestFinished(() => void socket.destroy());
  }

  async gets(text: string): Promise<void> {
    await until(() => this.bytes === text, { what: `${text.length} bytes arrive` });
  }
}

/** A client and a server with the proxy between them. */
async function start() {
  const servers: End[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => servers.push(new End(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await FaultProxy.start((server.address() as { port: number }).port);
  onTestFinished(async () => {
    await proxy.stop();
    server.close();
  });
  const dial = () => new End(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
  const client = dial();
  client.socket.write('hello');
  await until(() => servers[0]?.bytes === 'hello');
  return { proxy, client, server: servers[0]!, servers, dial };
}

const big = 'x'.repeat(300_000);

describe('a link without a fault', () => {
  it('transfers both directions, and ends one while the other continues', async () => {
    const { proxy, client, server } = await start();
    client.socket.end(big);
    await server.gets(`hello${big}`);
    await until(() => server.ended);
    server.socket.end(big);
    await client.gets(big);
    await until(() => client.ended && proxy.open === 0);
  });

  it('passes a reset at one end to the other', async () => {
    const { client, server, proxy } = await start();
    server.socket.resetAndDestroy();
    await until(() => client.error === 'ECONNRESET');
    await until(() => proxy.open === 0);
  });
});

describe('faults', () => {
  it('latency: delays all bytes', async () => {
    const { proxy, client, server } = await start();
    proxy.set({ latencyMs: 60 });
    const began = performance.now();
    client.socket.write('late');
    await server.gets('hellolate');
    expect(performance.now() - began).toBeGreaterThanOrEqual(55);
  });

  it('throttle: limits the bytes per second', async () => {
    const { proxy, client, server } = await start();
    proxy.set({ bytesPerSecond: 100_000 });
    const began = performance.now();
    client.socket.write(big.slice(0, 10_000));
    await until(() => server.bytes.length === 10_005);
    expect(performance.now() - began).toBeGreaterThanOrEqual(80);
    client.socket.write('after');
    proxy.heal();
    await until(() => server.bytes.endsWith('after'));
  });

  it('slicing: changes only the size of pieces', async () => {
    const { proxy, client, server } = await start();
    proxy.set({ sliceBytes: 1 });
    const text = Array.from({ length: 300 }, (_, i) => String.fromCharCode(33 + (i % 90))).join('');
    client.socket.write(text);
    await server.gets(`hello${text}`);
    expect(server.chunks).toBeGreaterThan(30);
  });

  it('silence: passes nothing, applies backpressure, and delivers everything afterwards', async () => {
    const { proxy, client, server } = await start();
    proxy.silent = true;
    const megabytes = 'y'.repeat(16 * 1024 * 1024);
    client.socket.write(megabytes);
    await until(() => client.socket.writableLength > 0, { what: 'the sender waits' });
    expect(server.bytes).toBe('hello');
    proxy.silent = false;
    await until(() => server.bytes.length === 5 + megabytes.length);
  });

  it('silence holds for new connections too', async () => {
    const { proxy, servers, dial } = await start();
    proxy.silent = true;
    dial().socket.write('second');
    await until(() => servers.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(servers[1]!.bytes).toBe('');
    proxy.silent = false;
    await servers[1]!.gets('second');
  });

  it('cut: closes both ends, and a new connection works', async () => {
    const { proxy, client, server, servers, dial } = await start();
    proxy.cut();
    await until(() => client.ended && server.ended);
    dial().socket.write('again');
    await until(() => servers[1]?.bytes === 'again');
    expect(proxy.connections).toBe(2);
  });

  it('reset: both ends get RST', async () => {
    const { proxy, client, server } = await start();
    proxy.reset();
    await until(() => client.error === 'ECONNRESET' && server.error === 'ECONNRESET');
  });

  it.each(['client', 'server'] as const)(
    'half-open: the %s notices nothing until the fault ends',
    async (standing) => {
      const { proxy, ...ends } = await start();
      const gone = ends[standing === 'client' ? 'server' : 'client'];
      const stands = ends[standing];
      const before = gone.bytes;
      proxy.halfOpen(standing);
      await until(() => gone.error === 'ECONNRESET');
      stands.socket.write(big);
      await until(() => stands.socket.writableLength === 0, { what: 'the bytes vanish' });
      expect(stands.error ?? stands.ended).toBe(false);
      expect(gone.bytes).toBe(before);
      proxy.heal();
      await until(() => stands.error === 'ECONNRESET');
      await until(() => proxy.open === 0);
    },
  );

  it('rejecting: new connections are reset', async () => {
    const { proxy, dial } = await start();
    proxy.refusing = true;
    const refused = dial();
    await until(() => refused.error === 'ECONNRESET');
    proxy.heal();
    const client = dial();
    await until(() => client.socket.readyState === 'open' && proxy.open === 2);
  });
});
