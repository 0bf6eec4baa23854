import { connect } from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GrpcServer } from '../../../server/src/grpc/server.js';
import { formatListenAddress } from '../../../server/src/net/listen-address.js';
import {
  CODE,
  callHeaders,
  FLAG,
  FRAME,
  frame,
  grpcMessage,
  headerBlock,
  ping,
  reset,
  settings,
  windowUpdate,
} from '../../support/network/http2-frames.js';
import { RawHttp2 } from '../../support/network/raw-http2.js';
import { boundsWith } from '../../support/sidecars/grpc-bounds.js';
import { rawClient, refusals } from '../../support/sidecars/limits.js';
import { type SecuredSidecar, startSecured } from '../../support/sidecars/secured-sidecar.js';
import { call, TestMailbox } from '../../support/sidecars/sidecar-calls.js';
import { until } from '../../support/until.js';

const SERVICE = '/spread.sidecar.v1.MailboxService';
const open = (stream: number, method = 'GetVersion', more: [string, string][] = []) =>
  frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, callHeaders(`${SERVICE}/${method}`, more));
const request = (stream: number, bytes = Buffer.alloc(0)) =>
  frame(FRAME.DATA, FLAG.END_STREAM, stream, grpcMessage(bytes));
const repeat = (count: number, make: (i: number) => Buffer) =>
  Array.from({ length: count }, (_, i) => make(i));

/** Writes pieces until all are written or the other end has closed the connection. */
async function flood(raw: RawHttp2, pieces: number, make: (i: number) => Buffer): Promise<void> {
  for (let i = 0; i < pieces && !raw.closed && raw.goaway === undefined; i += 100) {
    raw.write(...repeat(100, (j) => make(i + j)));
    await raw.drained();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The sidecar serves other clients as before. */
async function expectUnharmed(sidecar: SecuredSidecar): Promise<void> {
  const mailbox = await TestMailbox.open(sidecar.rawClient());
  await mailbox.call('join', { group: 'g', awaitView: true });
  await mailbox.send('g', 'x');
  await mailbox.call('disconnect', {});
  expect(sidecar.log()).not.toMatch(/"level":"(error|fatal)"/);
}

describe('control frames', () => {
  it.each([
    ['PING', ping],
    ['SETTINGS', () => settings({ 4: 65_535 })],
  ])('limits.maxControlFrames: accepts %s up to the limit, and again a second later', async (_, one) => {
    const sidecar = await startSecured({ LIMITS_MAX_CONTROL_FRAMES: '50' });
    const raw = await rawClient(sidecar);
    // The initial SETTINGS frame counts as the first.
    for (let round = 0; round < 2; round++) {
      raw.write(...repeat(49, one));
      raw.write(open(2 * round + 1), request(2 * round + 1));
      await until(() => raw.isAnswered(2 * round + 1));
      await new Promise((resolve) => setTimeout(resolve, 1050));
    }
    expect([raw.closed, raw.goaway]).toEqual([false, undefined]);
    raw.write(...repeat(200, one));
    await until(() => raw.closed, { what: 'the connection is closed' });
    expect(raw.goaway).toEqual({ code: CODE.ENHANCE_YOUR_CALM, text: 'too_many_pings' });
    expect(await refusals(sidecar, 'limits.maxControlFrames')).toBe(1);
    await expectUnharmed(sidecar);
  });

  it('limits.maxControlFrames: does not count a PING for each received frame', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_CONTROL_FRAMES: '10' });
    const mailbox = await TestMailbox.open(sidecar.rawClient());
    await mailbox.call('join', { group: 'g', awaitView: true });
    const raw = await rawClient(sidecar);
    // Some clients measure their bandwidth this way.
    let seen = 0;
    const pinging = setInterval(() => {
      const data = raw.count(FRAME.DATA);
      if (data > seen)
        raw.write(...repeat(data - seen, ping), windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000));
      seen = data;
    }, 1);
    onTestFinished(() => clearInterval(pinging));
    const id = Buffer.from(mailbox.id);
    raw.write(open(1, 'Receive'), request(1, Buffer.concat([Buffer.of(0x0a, id.length), id])));
    for (let i = 0; i < 300; i++) await mailbox.send('g', 'x');
    await until(() => raw.count(FRAME.DATA) > 200, { what: 'what was sent' });
    await until(() => seen === raw.count(FRAME.DATA));
    expect([raw.closed, raw.goaway]).toEqual([false, undefined]);
    expect(raw.count(FRAME.PING)).toBeGreaterThan(150);
  });
});

describe('the beginning of a connection', () => {
  it('http2.opening: closes a connection that sends nothing before the time limit', async () => {
    const limits: string[] = [];
    const server = new GrpcServer({
      services: [],
      bounds: boundsWith({ openingTimeoutMs: 300 }),
      onLimit: (limit) => limits.push(limit),
    });
    onTestFinished(() => server.stop({ graceMs: 0 }));
    const [address] = await server.listen([{ kind: 'tcp', host: '127.0.0.1', port: 0 }]);
    const port = Number(formatListenAddress(address!).split(':').at(-1));
    const connect = (hello: boolean) => RawHttp2.connect({ host: '127.0.0.1', port }, { hello });
    const [active, silent] = [await connect(true), await connect(false)];
    const startedAt = performance.now();
    await until(() => silent.closed, { what: 'the silent one is closed' });
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    expect(active.closed).toBe(false);
    expect(limits).toEqual(['http2.opening']);
    active.socket.destroy();
  });
});

describe('a connection whose client may have disappeared', () => {
  it('http2.keepalive: sends a PING, and closes the connection without a response', async () => {
    const bounds = boundsWith({ keepaliveTimeMs: 200, keepaliveTimeoutMs: 200 });
    const server = new GrpcServer({ services: [], bounds });
    onTestFinished(() => server.stop({ graceMs: 0 }));
    const [address] = await server.listen([{ kind: 'tcp', host: '127.0.0.1', port: 0 }]);
    const port = Number(formatListenAddress(address!).split(':').at(-1));
    const [alive, dead] = [
      await RawHttp2.connect({ host: '127.0.0.1', port }),
      await RawHttp2.connect({ host: '127.0.0.1', port }),
    ];
    await until(() => dead.count(FRAME.SETTINGS) === 2);
    dead.polite = false;
    const startedAt = performance.now();
    await until(() => dead.closed, { what: 'the one that does not answer is closed' });
    expect(performance.now() - startedAt).toBeGreaterThan(300);
    await until(() => alive.count(FRAME.PING) > 2, { what: 'the other one is asked again and again' });
    expect(alive.closed).toBe(false);
    alive.socket.destroy();
  });
});

describe("limits of Node's HTTP/2 implementation", () => {
  it.each<[string, (raw: RawHttp2) => Promise<void> | void]>([
    [
      'http2.unread: PINGs whose responses are not read',
      async (raw) => {
        raw.socket.pause();
        await flood(raw, 1_000_000, ping);
      },
    ],
    ['http2.settings: more than 32 settings in a frame', (raw) => void raw.write(manySettings(33))],
    [
      'http2.emptyFrames: DATA frames without data',
      async (raw) => {
        raw.write(open(1));
        await flood(raw, 10_000, () => frame(FRAME.DATA, 0, 1));
      },
    ],
    [
      'http2.continuation: a header that goes on and on',
      async (raw) => {
        raw.write(frame(FRAME.HEADERS, 0, 1, callHeaders(`${SERVICE}/GetVersion`)));
        await flood(raw, 10_000, (i) => frame(FRAME.CONTINUATION, 0, 1, headerBlock([[`x-${i}`, 'y']])));
      },
    ],
    [
      'http2.continuation: empty ones',
      async (raw) => {
        raw.write(frame(FRAME.HEADERS, 0, 1, callHeaders(`${SERVICE}/GetVersion`)));
        await flood(raw, 10_000, () => frame(FRAME.CONTINUATION, 0, 1));
      },
    ],
    [
      'http2.headerBytes: more than 64 KiB of headers',
      (raw) => {
        const block = callHeaders(`${SERVICE}/GetVersion`, [['x', 'y'.repeat(66_000)]]);
        raw.write(frame(FRAME.HEADERS, 0, 1, block.subarray(0, 16_384)));
        for (let at = 16_384; at < block.length; at += 16_384) {
          const flags = at + 16_384 >= block.length ? FLAG.END_HEADERS : 0;
          raw.write(frame(FRAME.CONTINUATION, flags, 1, block.subarray(at, at + 16_384)));
        }
      },
    ],
    [
      'http2.resets: calls that are reset at once',
      (raw) => flood(raw, 20_000, (i) => Buffer.concat([open(2 * i + 1), reset(2 * i + 1)])),
    ],
    [
      'http2.resets: calls that are reset when they run',
      (raw) =>
        flood(raw, 20_000, (i) => Buffer.concat([open(2 * i + 1), request(2 * i + 1), reset(2 * i + 1)])),
    ],
    [
      'http2.resets: calls that the server is made to reset',
      (raw) => flood(raw, 20_000, (i) => Buffer.concat([open(2 * i + 1), windowUpdate(2 * i + 1, 0)])),
    ],
    ['http2.resets: streams that never were', (raw) => flood(raw, 100, (i) => reset(2 * i + 1))],
  ])('%s', async (_, misbehave) => {
    const sidecar = await startSecured({ LIMITS_MAX_CONTROL_FRAMES: '1000000' });
    const raw = await rawClient(sidecar);
    await until(() => raw.count(FRAME.SETTINGS) === 2);
    await misbehave(raw);
    await until(() => raw.goaway !== undefined || raw.closed, { what: 'it is stopped' });
    await expectUnharmed(sidecar);
  });

  it.each<[string, (raw: RawHttp2) => void]>([
    [
      'http2.settings: 32 settings in a frame',
      (raw) => void raw.write(manySettings(32), open(1), request(1)),
    ],
    [
      'http2.emptyFrames: a thousand DATA frames without data',
      (raw) => void raw.write(open(1), ...repeat(1000, () => frame(FRAME.DATA, 0, 1)), request(1)),
    ],
    [
      'http2.continuation: a header that goes on eight times',
      (raw) => {
        const pieces = repeat(8, (i) =>
          frame(FRAME.CONTINUATION, i === 7 ? FLAG.END_HEADERS : 0, 1, headerBlock([[`x-${i}`, 'y']])),
        );
        raw.write(frame(FRAME.HEADERS, 0, 1, callHeaders(`${SERVICE}/GetVersion`)), ...pieces, request(1));
      },
    ],
    [
      'http2.unread: PINGs whose answers are read, however many',
      async (raw) => {
        for (let round = 1; round <= 5; round++) {
          raw.write(...repeat(900, ping));
          await until(() => raw.count(FRAME.PING) === round * 900);
        }
        raw.write(open(1), request(1));
      },
    ],
  ])('%s: is accepted', async (_, behave) => {
    const sidecar = await startSecured({ LIMITS_MAX_CONTROL_FRAMES: '1000000' });
    const raw = await rawClient(sidecar);
    await until(() => raw.count(FRAME.SETTINGS) === 2);
    await behave(raw);
    await until(() => raw.isAnswered(1), { what: 'it is answered' });
    expect([raw.closed, raw.goaway]).toEqual([false, undefined]);
  });

  it('http2.continuation: rejects nine CONTINUATION frames', async () => {
    const sidecar = await startSecured({});
    const raw = await rawClient(sidecar);
    const pieces = repeat(9, (i) =>
      frame(FRAME.CONTINUATION, i === 8 ? FLAG.END_HEADERS : 0, 1, headerBlock([[`x-${i}`, 'y']])),
    );
    raw.write(frame(FRAME.HEADERS, 0, 1, callHeaders(`${SERVICE}/GetVersion`)), ...pieces, request(1));
    await until(() => raw.closed, { what: 'it is stopped' });
    expect(raw.isAnswered(1)).toBe(false);
  });

  it('http2.headers: limits a call to 128 headers, including pseudo-headers', async () => {
    const sidecar = await startSecured({});
    const raw = await rawClient(sidecar);
    const many = (count: number) =>
      repeat(count, () => Buffer.alloc(0)).map((_, i): [string, string] => [`x-${i}`, 'y']);
    raw.write(open(1, 'GetVersion', many(122)), request(1), open(3, 'GetVersion', many(123)), request(3));
    await until(() => raw.isAnswered(1) && raw.resetOf(3) !== undefined);
    expect(raw.resetOf(3)).toBe(CODE.ENHANCE_YOUR_CALM);
    raw.write(open(5), request(5));
    await until(() => raw.isAnswered(5));
  });

  it('http2.resets: allows almost a thousand resets', async () => {
    const sidecar = await startSecured({});
    const raw = await rawClient(sidecar);
    await flood(raw, 900, (i) => Buffer.concat([open(2 * i + 1), reset(2 * i + 1)]));
    raw.write(open(1801), request(1801));
    await until(() => raw.isAnswered(1801));
    expect(raw.goaway).toBeUndefined();
  });
});

describe('frames without a limit', () => {
  it.each<[string, (i: number) => Buffer]>([
    ['WINDOW_UPDATE', () => windowUpdate(0, 1)],
    ['PRIORITY', (i) => frame(FRAME.PRIORITY, 0, 1 + 2 * (i % 1000), Buffer.from([0, 0, 0, 0, 16]))],
    ['frames of types that do not exist', () => frame(0x77, 0, 0, Buffer.alloc(8))],
  ])('%s: costs little to read, and does not prevent service to others', async (_, make) => {
    const sidecar = await startSecured({});
    const raw = await rawClient(sidecar);
    const before = process.memoryUsage().rss;
    const flooding = flood(raw, 200_000, make);
    await expectUnharmed(sidecar);
    await flooding;
    raw.write(open(100_001), request(100_001));
    await until(() => raw.isAnswered(100_001), { what: 'it is served too' });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });
});

describe('a client that reads its responses slowly', () => {
  it('does not affect other clients, however many calls it has', async () => {
    const sidecar = await startSecured({ LIMITS_STALL_TIMEOUT: '500ms' });
    const [target] = sidecar.targets;
    const client = connect(`http://${target}`, { settings: { initialWindowSize: 0 } });
    onTestFinished(() => client.destroy());
    let isClosed = false;
    client.on('close', () => (isClosed = true));
    const ends: number[] = [];
    for (let i = 0; i < 500; i++) {
      const stream = client.request({
        ':method': 'POST',
        ':path': `${SERVICE}/GetVersion`,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => {});
      stream.on('close', () => ends.push(stream.rstCode));
      stream.end(grpcMessage(Buffer.alloc(0)));
    }
    await expectUnharmed(sidecar);
    // New calls begin when earlier ones end, up to the limit in SETTINGS.
    await until(() => ends.length === 500, { what: 'all of its calls are over', timeoutMs: 15_000 });
    expect(ends).not.toContain(CODE.NO_ERROR);
    expect(isClosed).toBe(false);
    await call(sidecar.rawClient(), 'getVersion', {});
  });
});

function manySettings(count: number): Buffer {
  return settings(Object.fromEntries(repeat(count, () => Buffer.alloc(0)).map((_, i) => [100 + i, 1])));
}
