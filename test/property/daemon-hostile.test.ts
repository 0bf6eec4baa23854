import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAuthChoice, encodeConnectRequest } from '../../server/src/spread/wire/index.js';
import { ByteStream } from '../support/daemons/byte-stream.js';
import { type RunningDaemon, startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { everythingReceived, RawClient } from '../support/daemons/raw-client.js';
import { until } from '../support/until.js';
import { buildFrame } from '../support/wire/frame-builder.js';

/** A frame with arbitrary header fields; half of the frames are nearly valid. */
const hostileFrame = (privateGroup: string): fc.Arbitrary<Buffer> => {
  const anyWord = fc.integer({ min: 0, max: 0xffffffff });
  const anyName = fc.oneof(
    { weight: 4, arbitrary: fc.constant(privateGroup) },
    fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  const anyType = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom(0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x42, 0x10000, 0x10000, 0x20000),
    },
    fc.nat({ max: 30 }).map((bit) => (0x02 | (1 << bit)) >>> 0),
    anyWord,
  );
  const group = fc.oneof(
    fc.constantFrom('g', 'good', '', '#', '#x#localhost', privateGroup, 'B'.repeat(32)),
    fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  const size = (max: number) =>
    fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, fc.integer({ min: -1, max }), fc.integer());
  return fc
    .record({
      type: anyType,
      privateGroup: anyName,
      numGroups: size(101),
      hint: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, anyWord),
      dataLength: size(144_001),
      groups: fc.array(group, { maxLength: 8 }),
      data: fc.uint8Array({ maxLength: 200 }),
      bigEndian: fc.boolean(),
    })
    .map(buildFrame);
};

const cuts = fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 6 });

/** Writes `bytes` in pieces of the given sizes. Any reaction of the daemon is allowed. */
async function write(stream: ByteStream, bytes: Buffer, sizes: readonly number[]): Promise<void> {
  let offset = 0;
  for (const size of [...sizes, bytes.length]) {
    stream.write(bytes.subarray(offset, offset + size));
    offset += size;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Two well-behaved clients. Whatever the other clients do, all messages between them arrive in order. */
class GoodClients {
  #sent = 0;
  #received = 0;

  private constructor(
    private readonly sender: RawClient,
    private readonly receiver: RawClient,
  ) {}

  static async connect({ tcp, unix }: RunningDaemon): Promise<GoodClients> {
    const good = new GoodClients(
      await RawClient.connect(tcp, { name: 'sender' }),
      await RawClient.connect(unix, { name: 'receiver' }),
    );
    good.receiver.join('good');
    await good.receiver.nextView();
    return good;
  }

  async areUnharmed(): Promise<void> {
    for (let i = 0; i < 3; i++) this.sender.multicast({ groups: ['good'], text: `good ${++this.#sent}` });
    const received = await everythingReceived(this.sender, this.receiver);
    for (const message of received.flat())
      if (message.kind === 'regular' && message.sender === this.sender.privateGroup)
        expect(message.payload.toString('latin1')).toBe(`good ${++this.#received}`);
    expect(this.#received).toBe(this.#sent);
  }
}

describe('hostile clients', () => {
  it('harm no others with frames of any content', async () => {
    const running = await startEmbeddedDaemon();
    const good = await GoodClients.connect(running);
    let serial = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(hostileFrame('#x#localhost'), { minLength: 1, maxLength: 8 }),
        cuts,
        async (frames, sizes) => {
          serial += 1;
          const hostile = await RawClient.connect(running.tcp, { name: `x${serial}` });
          const bytes = Buffer.concat(frames);
          // The frames were generated before the session's name was known.
          const own = Buffer.from(hostile.privateGroup.padEnd(32, '\0'), 'latin1');
          const placeholder = Buffer.from('#x#localhost'.padEnd(32, '\0'), 'latin1');
          for (let at = bytes.indexOf(placeholder); at >= 0; at = bytes.indexOf(placeholder))
            own.copy(bytes, at);
          await write(hostile.stream, bytes, sizes);
          await good.areUnharmed();
          hostile.abort();
        },
      ),
      { numRuns: 300 },
    );
    expect(
      running.events.filter((event) => event.kind === 'session-cut' && event.reason === 'internal-error'),
    ).toEqual([]);
    // The generator reaches both sides of the check.
    expect(running.events.filter((event) => event.kind === 'session-cut').length).toBeGreaterThan(50);
    await until(() => running.daemon.counters().sessions === 2);
    expect(running.daemon.counters()).toMatchObject({ memberships: 1, groups: 1, queuedBytes: 0 });
  }, 60_000);

  it('harm no others with any bytes in the handshake', async () => {
    const running = await startEmbeddedDaemon({ handshakeTimeoutMs: 100 });
    const good = await GoodClients.connect(running);
    const start = fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.constant(encodeConnectRequest({ name: '', membership: true, priority: 0 })),
      fc.constant(
        Buffer.concat([
          encodeConnectRequest({ name: '', membership: true, priority: 0 }),
          encodeAuthChoice(['NULL']),
        ]),
      ),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 300 }), cuts, async (first, noise, sizes) => {
        const stream = await ByteStream.connect(running.unix);
        await write(stream, Buffer.concat([first, noise]), sizes);
        await good.areUnharmed();
        stream.socket.destroy();
      }),
      { numRuns: 200 },
    );
    // No session is left.
    await until(() => running.daemon.counters().connections === 2, { timeoutMs: 10_000 });
  }, 60_000);
});

describe('memory', () => {
  it('embedded.maxQueueBytes: limits all slow readers together, and disconnects the slowest first', async () => {
    const limit = 2_000_000;
    const running = await startEmbeddedDaemon({ maxQueuedBytes: limit });
    const { tcp, daemon, events } = running;
    const sender = await RawClient.connect(tcp, { name: 'sender' });
    const slow: RawClient[] = [];
    for (let i = 0; i < 5; i++) {
      const client = await RawClient.connect(tcp, { name: `slow${i}` });
      client.join(`g${i}`);
      await client.nextView();
      client.pauseReading();
      slow.push(client);
    }
    const payload = Buffer.alloc(100_000);
    const cuts = () => events.filter((event) => event.kind === 'session-cut');
    for (let i = 0; cuts().length < 3; i++) {
      expect(i).toBeLessThan(2000);
      sender.multicast({ groups: [`g${i % 5}`], payload });
      await everythingReceived(sender, sender);
      expect(daemon.counters().queuedBytes).toBeLessThan(limit + 2 * payload.length);
    }
    for (const event of cuts()) expect(event).toMatchObject({ reason: 'memory' });
    expect(daemon.counters().sessions).toBe(3);
  });

  it('is limited for memberships, and the session with most of them is disconnected', async () => {
    const { tcp, daemon, events } = await startEmbeddedDaemon({ maxMemberships: 1000 });
    const good = await RawClient.connect(tcp, { name: 'good' });
    good.join('g');
    await good.nextView();
    const hog = await RawClient.connect(tcp, { name: 'hog', membership: false });
    hog.join(...Array.from({ length: 999 }, (_, i) => `h${i}`));
    await everythingReceived(hog, hog);
    expect(daemon.counters().memberships).toBe(1000);
    good.join('one-more');
    expect(await good.nextView()).toMatchObject({ group: 'one-more' });
    await hog.ended();
    expect(events.filter((event) => event.kind === 'session-cut')).toMatchObject([
      {
        privateGroup: '#hog#localhost',
        reason: 'memory',
        message: expect.stringContaining('1000 memberships'),
      },
    ]);
    expect(daemon.counters().memberships).toBe(2);
  });

  it('is not allocated for announced bytes', async () => {
    const { tcp, daemon } = await startEmbeddedDaemon();
    const good = await RawClient.connect(tcp);
    const before = process.memoryUsage().arrayBuffers;
    const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(tcp)));
    for (const { privateGroup, stream } of clients)
      stream.write(buildFrame({ type: 0x02, privateGroup, numGroups: 100, dataLength: 139_000 }));
    for (const client of clients) await everythingReceived(good, client);
    expect(daemon.counters().sessions).toBe(201);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  it('is limited for connections without a name', async () => {
    const { tcp, daemon } = await startEmbeddedDaemon({ maxSessions: 10, handshakeTimeoutMs: 2000 });
    const idle = await Promise.all(Array.from({ length: 40 }, () => ByteStream.connect(tcp)));
    await until(() => idle.filter((stream) => stream.ended).length >= 20);
    expect(daemon.counters().connections).toBeLessThanOrEqual(20);
  });
});
