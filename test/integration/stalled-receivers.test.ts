import { status } from '@grpc/grpc-js';
import type { MailboxServiceClient } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { message, type Receiving, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { type RunningSidecar, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

const MIB = 1024 * 1024;
const PAYLOAD = Buffer.alloc(10_000, 1);
/** The smallest windows: the unread bytes of one stream can fill the window of the whole connection. */
const SMALL_WINDOWS = { 'grpc-node.flow_control_window': 65_535 };
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

/** The connection of a receiver, and how it stalls and continues. */
interface Place {
  /** The client of the stalled receiver; `shared` is the client of all others. */
  client(sidecar: RunningSidecar, shared: MailboxServiceClient): Promise<MailboxServiceClient>;
  stall(receiving: Receiving): void;
  wake(receiving: Receiving): void;
}

const pausing = {
  stall: ({ stream }: Receiving) => {
    stream.pause();
  },
  wake: ({ stream }: Receiving) => {
    stream.resume();
  },
};

/** Behind a proxy that forwards nothing: sent bytes stay in the kernels. */
function onDeadLink(): Place {
  let proxy: FaultProxy | undefined;
  return {
    client: async ({ target, newClient }) => {
      const link = await FaultProxy.start(portOf(target));
      onTestFinished(() => link.stop());
      proxy = link;
      return newClient(`127.0.0.1:${link.port}`);
    },
    stall: () => {
      proxy!.silent = true;
    },
    wake: () => {
      proxy!.silent = false;
    },
  };
}

const PLACES: [where: string, place: () => Place][] = [
  [
    'on a connection of its own',
    () => ({ client: async ({ newClient }) => newClient(undefined, SMALL_WINDOWS), ...pausing }),
  ],
  ['on the connection of all others', () => ({ client: async (_, shared) => shared, ...pausing })],
  ['behind a link on which nothing passes', onDeadLink],
];

function portOf(target: string): number {
  return Number(target.split(':').at(-1));
}

/** A sender and two receivers of one group. The slow receiver has a small queue. */
async function start(place: Place) {
  const sidecar = await startSidecar();
  const shared = sidecar.newClient(undefined, SMALL_WINDOWS);
  const slow = await TestMailbox.open(await place.client(sidecar, shared), {
    queue: { maxBytes: BigInt(MIB) },
  });
  const good = await TestMailbox.open(shared);
  const sender = await TestMailbox.open(shared);
  for (const mailbox of [good, slow]) await mailbox.call('join', { group: 'chat', awaitView: true });
  const slowly = slow.receive();
  const well = good.receive();
  for (const receiving of [slowly, well]) await receiving.attached();
  // The views: its own, and for the first receiver also that of the other.
  await well.first(2);
  await slowly.first(1);
  let sent = 0;
  /** The reading receiver has all messages, whatever the slow receiver does. */
  const sendAndReceive = async (count: number) => {
    const stream = sender.stream();
    for (let i = 0; i < count; i += 50)
      stream.batch(...Array.from({ length: 50 }, () => message('chat', PAYLOAD)));
    await stream.decided(count);
    stream.stream.end();
    sent += count;
    await well.first(2 + sent, 20_000);
  };
  const isPaused = () => sidecar.registry.sizes().paused === 1;
  return { ...sidecar, slow, slowly, good, well, sender, sendAndReceive, isPaused, sent: () => sent };
}

describe.each(PLACES)('a receiver that stalls %s', (_, placeOf) => {
  it('does not delay others, and receives everything when it continues', async () => {
    const place = placeOf();
    const { slowly, well, sender, sendAndReceive, isPaused, sent } = await start(place);
    place.stall(slowly);
    await sendAndReceive(400);
    await until(isPaused, { what: 'the slow mailbox is paused' });
    await sendAndReceive(200);
    // Other calls on the same connection are not delayed either.
    expect(await sender.call('poll')).toMatchObject({ waitingEvents: 0n });
    expect(isPaused()).toBe(true);
    expect(slowly.events.length).toBeLessThan(400);
    expect(well.sequences).toEqual(upTo(602));
    place.wake(slowly);
    await slowly.first(1 + sent(), 20_000);
    expect(slowly.sequences).toEqual(upTo(601));
    expect(isPaused()).toBe(false);
  });

  it('does not delay others when its daemon disconnects it, and receives everything until then', async () => {
    const place = placeOf();
    const { daemon, slowly, well, sendAndReceive, sent } = await start(place);
    place.stall(slowly);
    await until(
      async () => {
        await sendAndReceive(250);
        return daemon!.counters().sessionsCut === 1;
      },
      { what: 'the daemon disconnects the slow mailbox', timeoutMs: 60_000 },
    );
    await sendAndReceive(250);
    expect(well.sequences).toEqual(upTo(well.events.length));
    expect(well.texts).toHaveLength(sent());
    place.wake(slowly);
    const failure = await slowly.failure();
    expect(failure).toMatchObject({ code: status.UNAVAILABLE, info: { reason: 'CONNECTION_CLOSED' } });
    const last = Number(failure.info?.metadata.last_sequence);
    expect(slowly.sequences).toEqual(upTo(last));
    expect(last).toBeGreaterThan(100);
  });
});

describe('a receiver whose client disappeared without closing its connection', () => {
  it('does not delay others, is detected, and is replaced by the next, which receives everything', async () => {
    const sidecar = await startSidecar({ transport: { keepaliveTimeMs: 500, keepaliveTimeoutMs: 3000 } });
    const { registry, newClient } = sidecar;
    const proxy = await FaultProxy.start(portOf(sidecar.target));
    onTestFinished(() => proxy.stop());
    const slow = await TestMailbox.open(newClient(`127.0.0.1:${proxy.port}`));
    const good = await TestMailbox.open(newClient());
    const sender = await TestMailbox.open(newClient());
    for (const mailbox of [good, slow]) await mailbox.call('join', { group: 'chat', awaitView: true });
    const vanishing = slow.receive();
    const well = good.receive();
    await vanishing.first(1);
    await well.first(2);
    // The client's end is closed, but the kernel on this side continues to send.
    proxy.halfOpen('server');
    for (let i = 0; i < 300; i++) await sender.send('chat', PAYLOAD);
    await well.first(302);
    await until(() => registry.sizes().receivers === 1, { what: 'the sidecar notices' });
    // The queue of the stalled receiver and the replay window of the other. Nothing is in flight any more.
    const { retainedBytes } = registry.sizes();
    const next = new TestMailbox(newClient(), slow.connected).receive({ afterSequence: 1n });
    await next.first(300);
    expect(next.sequences).toEqual(upTo(301).slice(1));
    expect(retainedBytes).toBeGreaterThan(600 * PAYLOAD.length);
    expect(retainedBytes).toBeLessThan(600 * (PAYLOAD.length + 200));
  });
});

describe('many stalled receivers', () => {
  it('leave capacity for an active one, and free everything when their clients disconnect', async () => {
    const { client, newClient, registry } = await startSidecar({
      mailbox: { totalQueueBytes: 8 * MIB },
    });
    const clients = Array.from({ length: 10 }, () => newClient(undefined, SMALL_WINDOWS));
    const stalled: { mailbox: TestMailbox; receiving: Receiving }[] = [];
    for (const own of clients) {
      const mailbox = await TestMailbox.open(own);
      await mailbox.call('join', { group: 'chat', awaitView: true });
      const receiving = mailbox.receive();
      await receiving.attached();
      receiving.stream.pause();
      stalled.push({ mailbox, receiving });
    }
    const good = await TestMailbox.open(client);
    const well = good.receive();
    await good.call('join', { group: 'chat', awaitView: true });
    const sender = await TestMailbox.open(newClient());
    const COUNT = 300;
    for (let i = 0; i < COUNT; i++) await sender.send('chat', PAYLOAD);
    await well.first(1 + COUNT, 20_000);
    const { paused, retainedBytes } = registry.sizes();
    expect(paused).toBe(10);
    // The bytes in a transport count too. Each queue can also hold one more read from the daemon.
    expect(retainedBytes).toBeGreaterThan(6 * MIB);
    expect(retainedBytes).toBeLessThan(8 * MIB + 11 * (64 * 1024 + PAYLOAD.length));
    for (const { mailbox, receiving } of stalled) {
      receiving.cancel();
      await mailbox.call('disconnect', { abort: true });
    }
    await until(() => registry.sizes().receivers === 1, { what: 'the clients have disconnected' });
    // The replay window of the reading receiver.
    await until(() => registry.sizes().retainedBytes <= COUNT * (PAYLOAD.length + 200), {
      what: 'nothing of the others is left',
    });
  });
});
