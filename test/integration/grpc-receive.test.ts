import { status } from '@grpc/grpc-js';
import { Acknowledgement, OverflowPolicy } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { type Receiving, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';
import { EXPLICIT, start } from './receiving-mailbox.js';

describe('the first frame', () => {
  it('describes the attached mailbox', async () => {
    const { receiver, send, received } = await start();
    await send('a', 'b');
    await received(3);
    const first = receiver.receive();
    expect(await first.attached()).toEqual({
      nextSequence: 1n,
      oldestRetainedSequence: 1n,
      lastSequence: 3n,
      privateGroup: receiver.privateGroup,
      groups: ['chat'],
      acknowledgement: Acknowledgement.AUTO,
      acknowledgedSequence: 0n,
    });
    await first.first(3);
    expect(await receiver.receive().attached()).toMatchObject({
      nextSequence: 4n,
      oldestRetainedSequence: 1n,
    });
  });

  it('arrives even without events', async () => {
    const { client } = await startSidecar();
    const alice = await TestMailbox.open(client);
    expect(await alice.receive().attached()).toMatchObject({
      nextSequence: 1n,
      oldestRetainedSequence: 1n,
      lastSequence: 0n,
    });
  });
});

describe('AUTO acknowledgement', () => {
  it('resumes after the last delivered event, when the stream broke', async () => {
    const { receiver, send, received } = await start();
    await send('a', 'b');
    const first = receiver.receive();
    await first.first(3);
    first.cancel();
    await send('c');
    await received(4);
    const second = receiver.receive();
    await second.first(1);
    expect(second.sequences).toEqual([4]);
    expect(second.texts).toEqual(['c']);
  });

  it('resumes exactly after the event that the client names, inside the replay window', async () => {
    const { receiver, send } = await start();
    await send('a', 'b', 'c');
    const first = receiver.receive();
    await first.first(4);
    for (const after of [0, 1, 3, 4]) {
      const again = receiver.receive({ afterSequence: BigInt(after) });
      expect((await again.attached()).nextSequence).toBe(BigInt(after + 1));
      await again.first(4 - after);
      expect(again.sequences).toEqual([1, 2, 3, 4].slice(after));
    }
  });

  it('reports the retained events if the client asks for discarded ones', async () => {
    const payload = Buffer.alloc(1000);
    const { receiver, send } = await start({ queue: { replayBytes: 3000n } });
    await send(...Array.from({ length: 10 }, () => payload));
    const first = receiver.receive();
    await first.first(11);
    for (const afterSequence of [0n, 12n, 2n ** 64n - 1n]) {
      const failure = await receiver.receive({ afterSequence }).failure();
      expect(failure).toMatchObject({
        code: status.OUT_OF_RANGE,
        info: {
          reason: 'SEQUENCE_NOT_RETAINED',
          metadata: { oldest_retained_sequence: expect.stringMatching(/^(9|10)$/), last_sequence: '11' },
        },
      });
    }
    // A failed Receive does not take over.
    expect(first.ended).toBeUndefined();
  });

  it('shortens the replay window with Acknowledge', async () => {
    const { receiver, send } = await start();
    await send('a', 'b');
    const first = receiver.receive();
    await first.first(3);
    expect(await receiver.call('acknowledge', { upToSequence: 2n })).toEqual({ acknowledgedSequence: 2n });
    expect((await receiver.receive({ afterSequence: 1n }).failure()).info?.reason).toBe(
      'SEQUENCE_NOT_RETAINED',
    );
    const again = receiver.receive({ afterSequence: 2n });
    await again.first(1);
    expect(again.texts).toEqual(['b']);
  });
});

describe('EXPLICIT acknowledgement', () => {
  it('redelivers events that were not acknowledged', async () => {
    const { receiver, send } = await start(EXPLICIT);
    await send('a', 'b', 'c');
    await receiver.receive().first(4);
    const again = receiver.receive();
    expect(await again.attached()).toMatchObject({ nextSequence: 1n, acknowledgedSequence: 0n });
    await again.first(4);
    expect(await receiver.call('acknowledge', { upToSequence: 2n })).toEqual({ acknowledgedSequence: 2n });
    // A lower sequence has no effect.
    expect(await receiver.call('acknowledge', { upToSequence: 1n })).toEqual({ acknowledgedSequence: 2n });
    const third = receiver.receive();
    expect(await third.attached()).toMatchObject({
      nextSequence: 3n,
      oldestRetainedSequence: 3n,
      acknowledgedSequence: 2n,
    });
    await third.first(2);
    expect(third.texts).toEqual(['b', 'c']);
  });

  it('never has more unacknowledged events than the limit', async () => {
    const { receiver, send, received } = await start(EXPLICIT);
    await send('a', 'b', 'c', 'd');
    await received(5);
    const receiving = receiver.receive({ maxOutstandingEvents: 2n });
    for (let acknowledged = 0; acknowledged < 3; acknowledged++) {
      await receiving.first(acknowledged + 2);
      await receiver.call('poll');
      expect(receiving.events).toHaveLength(acknowledged + 2);
      await receiver.call('acknowledge', { upToSequence: BigInt(acknowledged + 1) });
    }
    await receiving.first(5);
    expect(receiving.sequences).toEqual([1, 2, 3, 4, 5]);
  });

  it('never has more unacknowledged bytes than the limit, but always delivers one event', async () => {
    const { receiver, send, received } = await start(EXPLICIT);
    await send(Buffer.alloc(5000), Buffer.alloc(5000));
    await received(3);
    const receiving = receiver.receive({ maxOutstandingBytes: 1n });
    for (let count = 1; count <= 3; count++) {
      await receiving.first(count);
      await receiver.call('poll');
      expect(receiving.events).toHaveLength(count);
      await receiver.call('acknowledge', { upToSequence: BigInt(count) });
    }
  });

  it('rejects the acknowledgement of undelivered events', async () => {
    const { receiver, send, received } = await start(EXPLICIT);
    await send('a');
    await received(2);
    const refused = receiver.call('acknowledge', { upToSequence: 1n });
    await expect(refused).rejects.toMatchObject({ code: status.OUT_OF_RANGE });
  });
});

describe('a second Receive', () => {
  it('takes over; the first ends with RECEIVER_REPLACED, and no event is lost or repeated', async () => {
    const { receiver, send, newClient } = await start();
    await send('a');
    const first = receiver.receive();
    await first.first(2);
    const second = receiver.receive({}, newClient());
    await second.attached();
    expect(await first.failure()).toMatchObject({
      code: status.ABORTED,
      info: { reason: 'RECEIVER_REPLACED', domain: 'spread-sidecar', metadata: { last_sequence: '2' } },
    });
    await send('b');
    await second.first(1);
    expect([...first.sequences, ...second.sequences]).toEqual([1, 2, 3]);
  });

  it('can repeat without a limit', async () => {
    const { receiver, send } = await start();
    const receivings: Receiving[] = [];
    for (let i = 0; i < 20; i++) {
      receivings.push(receiver.receive());
      await send(`${i}`);
    }
    await until(() => receivings.flatMap(({ events }) => events).length === 21);
    expect(receivings.flatMap(({ sequences }) => sequences)).toEqual(
      Array.from({ length: 21 }, (_, i) => i + 1),
    );
    for (const replaced of receivings.slice(0, -1)) {
      expect((await replaced.failure()).info?.reason).toBe('RECEIVER_REPLACED');
    }
  });
});

describe('a stream that is cancelled', () => {
  it('detaches from the mailbox immediately', async () => {
    const { receiver, mailbox } = await start();
    const receiving = receiver.receive();
    await receiving.first(1);
    expect((await mailbox()).receiverAttached).toBe(true);
    receiving.cancel();
    await until(async () => !(await mailbox()).receiverAttached);
  });
});

describe('heartbeats', () => {
  it('are sent on an idle stream without queued events', async () => {
    const { receiver, send } = await start();
    const receiving = receiver.receive({ heartbeatInterval: { seconds: 0n, nanos: 100_000_000 } });
    await until(() => receiving.framesOf('heartbeat').length >= 2);
    expect(receiving.framesOf('heartbeat')[0]).toMatchObject({
      lastSequence: 1n,
      time: { seconds: expect.any(BigInt) },
    });
    await send('a');
    await receiving.first(2);
    await until(() => receiving.framesOf('heartbeat').at(-1)?.lastSequence === 2n);
  });

  it('do not claim that all events were delivered while some are queued', async () => {
    const { receiver, send, received } = await start(EXPLICIT);
    await send('a');
    await received(2);
    const receiving = receiver.receive({
      maxOutstandingEvents: 1n,
      heartbeatInterval: { seconds: 0n, nanos: 100_000_000 },
    });
    await receiving.first(1);
    const begin = performance.now();
    await until(async () => {
      await receiver.call('poll');
      return performance.now() - begin > 350;
    });
    expect(receiving.framesOf('heartbeat')).toEqual([]);
    await receiver.call('acknowledge', { upToSequence: 1n });
    await until(() => receiving.framesOf('heartbeat').length > 0);
    expect(receiving.framesOf('heartbeat')[0]?.lastSequence).toBe(2n);
  });

  it('are sent without a request only if the sidecar is configured to', async () => {
    const configured = await start({}, { limits: { heartbeatDefaultMs: 50 } });
    const receiving = configured.receiver.receive();
    await until(() => receiving.framesOf('heartbeat').length > 0);
  });
});

describe('a slow consumer', () => {
  it('gets a notice before the queue is full', async () => {
    const { receiver, send } = await start({ ...EXPLICIT, queue: { maxEvents: 10n } });
    const receiving = receiver.receive({ maxOutstandingEvents: 1n });
    await receiving.first(1);
    await send(...Array.from({ length: 9 }, (_, i) => `${i}`));
    await until(() => receiving.framesOf('slowConsumer').length > 0);
    const [notice] = receiving.framesOf('slowConsumer');
    expect(notice?.queuedEvents).toBeGreaterThan(8n);
    expect(notice?.queuedEvents).toBeLessThan(11n);
    expect(notice).toMatchObject({
      queuedBytes: expect.any(BigInt),
      limits: { maxEvents: 10n, overflow: OverflowPolicy.PAUSE },
    });
  });

  it('uses no more than the limits, and receives everything when it reads again', async () => {
    const queue = { maxBytes: 1024n * 1024n };
    const { receiver, sender, newClient, mailbox, server } = await start({ queue });
    // A client that reads nothing, with small flow-control windows.
    const receiving = receiver.receive({}, newClient(undefined, { 'grpc-node.flow_control_window': 65_535 }));
    await receiving.attached();
    receiving.stream.pause();
    const payload = Buffer.alloc(10_000, 1);
    const COUNT = 600;
    for (let i = 0; i < COUNT; i++) await sender.send('chat', payload);
    await until(async () => (await mailbox()).paused, { what: 'reading from the daemon paused' });
    const stalled = await mailbox();
    // The transport holds at most its windows, the limit of the pipeline, and one batch of 256 KiB.
    expect(Number(stalled.deliveredSequence) * payload.length).toBeLessThan(1.5 * 1024 * 1024);
    expect(Number(stalled.waitingBytes)).toBeLessThan(1.2 * 1024 * 1024);
    expect(server.openCalls).toBe(1);
    receiving.stream.resume();
    await receiving.first(COUNT + 1, 15_000);
    expect(receiving.sequences).toEqual(Array.from({ length: COUNT + 1 }, (_, i) => i + 1));
    expect((await mailbox()).paused).toBe(false);
  });

  it('does not slow another receiver', async () => {
    const { receiver, sender, send, client, newClient } = await start({ queue: { maxBytes: 300_000n } });
    const other = await TestMailbox.open(client);
    await other.call('join', { group: 'chat', awaitView: true });
    const stalled = receiver.receive({}, newClient(undefined, { 'grpc-node.flow_control_window': 65_535 }));
    await stalled.attached();
    stalled.stream.pause();
    const fast = other.receive();
    await fast.attached();
    for (let i = 0; i < 200; i++) await sender.send('chat', Buffer.alloc(10_000));
    await send('last');
    await until(() => fast.texts.at(-1) === 'last');
    expect(stalled.events.length).toBeLessThan(201);
    stalled.stream.resume();
    await until(() => stalled.texts.at(-1) === 'last');
  });
});

describe('batches', () => {
  it('contain the queued events, up to the limit; a larger event is alone in its batch', async () => {
    const { receiver, send, received } = await start({}, { limits: { maxBatchBytes: 3000 } });
    await send(
      Buffer.alloc(1000),
      Buffer.alloc(1000),
      Buffer.alloc(1000),
      Buffer.alloc(50_000),
      Buffer.alloc(10),
    );
    await received(6);
    const receiving = receiver.receive();
    await receiving.first(6);
    const sizes = receiving.framesOf('batch').map(({ events }) => events.length);
    expect(sizes).toEqual([3, 1, 1, 1]);
  });
});
