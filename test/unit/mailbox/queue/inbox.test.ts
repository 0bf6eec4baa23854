import { describe, expect, it } from 'vitest';
import { EVENT_OVERHEAD_BYTES } from '../../../../server/src/mailbox/queue/event-log.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';
import { Bench, DISCONNECTED, turn } from './inbox-bench.js';

describe('Inbox: receiving', () => {
  it('delivers queued and new events to a receiver', async () => {
    const bench = new Bench();
    bench.push('a', 'b');
    const receiver = bench.attach();
    expect(receiver.attachment!.info).toEqual({
      nextSequence: 1,
      oldestRetainedSequence: 1,
      lastSequence: 2,
      privateGroup: '#me#test',
      groups: ['room'],
      acknowledgement: 'AUTO',
      acknowledgedSequence: 0,
    });
    await turn();
    bench.push('c');
    await turn();
    expect(receiver.events.map((event) => event.what)).toEqual(['a', 'b', 'c']);
  });

  it('wakes a receiver once for all events of one turn', async () => {
    const bench = new Bench();
    const receiver = bench.attach();
    await turn();
    bench.pushMany(500);
    await turn();
    expect(receiver).toMatchObject({ wakes: 1, batches: [500] });
  });

  it('does not wake a receiver again before it has taken events', async () => {
    const bench = new Bench();
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.push('a');
    await turn();
    bench.push('b');
    await turn();
    expect(receiver.wakes).toBe(1);
    receiver.takeAll();
    bench.push('c');
    await turn();
    expect(receiver.wakes).toBe(2);
  });

  it('reports whether the receiver has everything', async () => {
    const bench = new Bench();
    const receiver = bench.attach({}, new RecordingReceiver(false));
    expect(receiver.attachment!.complete).toBe(true);
    bench.push('a');
    expect(receiver.attachment!.complete).toBe(false);
    receiver.takeAll();
    expect(receiver.attachment).toMatchObject({ complete: true, givenSequence: 1 });
  });

  it('keeps the events of a receiver that detaches', async () => {
    const bench = new Bench();
    const first = bench.attach();
    bench.push('a', 'b');
    await turn();
    first.attachment!.detach();
    first.attachment!.detach();
    expect(bench.attached).toBe(0);
    bench.push('c');
    await turn();
    expect(first.sequences).toEqual([1, 2]);
    expect(first.attachment!.take(100)).toBeUndefined();
    const next = bench.attach();
    const again = await turn().then(() => next.sequences);
    expect(again).toEqual([3]);
    const replay = bench.attach({ afterSequence: 1 });
    await turn();
    expect(replay.sequences).toEqual([2, 3]);
  });

  it('lets a second receiver take over, and notifies the first', async () => {
    const bench = new Bench();
    const first = bench.attach();
    bench.push('a');
    await turn();
    const second = bench.attach();
    expect(first.ends).toMatchObject([{ reason: 'RECEIVER_REPLACED', lastSequence: 1 }]);
    expect(first.attachment!.attached).toBe(false);
    expect(bench.attached).toBe(1);
    bench.push('b');
    await turn();
    expect(first.attachment!.take(100)).toBeUndefined();
    expect([first.sequences, second.sequences]).toEqual([[1], [2]]);
    first.attachment!.detach();
    expect(bench.inbox.receiverAttached).toBe(true);
  });

  it('keeps the first receiver when the second requests unavailable events', async () => {
    const bench = new Bench();
    const first = bench.attach();
    expect(() => bench.attach({ afterSequence: 7 })).toThrow(
      expect.objectContaining({ reason: 'SEQUENCE_NOT_RETAINED' }),
    );
    bench.push('a');
    await turn();
    expect(first).toMatchObject({ ends: [], sequences: [1] });
  });

  it.each(['maxOutstandingEvents', 'maxOutstandingBytes'] as const)('rejects %s with AUTO', (limit) => {
    const field = limit === 'maxOutstandingEvents' ? 'max_outstanding_events' : 'max_outstanding_bytes';
    expect(() => new Bench().attach({ [limit]: 1 })).toThrow(
      expect.objectContaining({ reason: 'FIELD_INVALID', metadata: { field, bound: '0' } }),
    );
  });

  it('keeps to the outstanding limit and continues when events are acknowledged', async () => {
    const bench = new Bench({}, 'EXPLICIT');
    const receiver = bench.attach({ maxOutstandingEvents: 2 });
    bench.pushMany(5);
    await turn();
    expect(receiver.sequences).toEqual([1, 2]);
    expect(receiver.attachment!.complete).toBe(false);
    expect(bench.inbox.acknowledge(1)).toBe(1);
    await turn();
    expect(receiver.sequences).toEqual([1, 2, 3]);
    bench.inbox.acknowledge(3);
    await turn();
    expect(receiver.sequences).toEqual([1, 2, 3, 4, 5]);
  });

  it('discards delivered events beyond the replay window', async () => {
    const bench = new Bench({ replayBytes: 250 });
    const receiver = bench.attach();
    bench.pushMany(10);
    await turn();
    expect(receiver.sequences).toHaveLength(10);
    expect(bench.inbox.queue.retainedBytes).toBeLessThanOrEqual(250);
    expect(bench.inbox.queue.retainedBytes).toBeGreaterThan(100);
    const { retainedBytes, lastSequence, acknowledgedSequence } = bench.inbox.queue;
    const events = lastSequence - acknowledgedSequence;
    expect(bench.budget.used).toBe(retainedBytes + events * EVENT_OVERHEAD_BYTES);
  });
});

describe('Inbox: the end', () => {
  it('comes after everything, once, and releases the receiver', async () => {
    const bench = new Bench();
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.push('a', 'b');
    bench.inbox.finish(DISCONNECTED);
    await turn();
    expect(receiver.ends).toEqual([]);
    expect(bench.inbox.isEndDelivered).toBe(false);
    receiver.takeAll();
    expect(receiver.ends).toEqual([]);
    await turn();
    expect(receiver).toMatchObject({ sequences: [1, 2], ends: [DISCONNECTED] });
    expect(bench.attached).toBe(0);
    expect(bench.inbox.isEndDelivered).toBe(true);
    await turn();
    expect(receiver.ends).toHaveLength(1);
  });

  it('reaches also a receiver that has everything, and a later one', async () => {
    const bench = new Bench();
    const receiver = bench.attach();
    bench.push('a');
    await turn();
    bench.inbox.finish(DISCONNECTED);
    await turn();
    expect(receiver.ends).toEqual([DISCONNECTED]);
    const late = bench.attach({ afterSequence: 0 });
    expect(late.ends).toEqual([]);
    await turn();
    expect(late).toMatchObject({ sequences: [1], ends: [DISCONNECTED] });
  });

  it('waits for acknowledgements that an outstanding limit needs', async () => {
    const bench = new Bench({}, 'EXPLICIT');
    const receiver = bench.attach({ maxOutstandingEvents: 1 });
    bench.push('a', 'b');
    bench.inbox.finish(DISCONNECTED);
    await turn();
    expect(receiver).toMatchObject({ sequences: [1], ends: [] });
    bench.inbox.acknowledge(1);
    await turn();
    expect(receiver).toMatchObject({ sequences: [1, 2], ends: [DISCONNECTED] });
  });

  it('can be reported before everything was delivered', async () => {
    const bench = new Bench();
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.push('a');
    bench.inbox.finish({ ...DISCONNECTED, reason: 'DRAINING', lastSequence: 1 });
    bench.inbox.cut({ reason: 'LEASE_EXPIRED', message: '' });
    expect(receiver.ends).toMatchObject([{ reason: 'DRAINING', lastSequence: 1 }]);
    expect(bench.inbox.isEndDelivered).toBe(false);
    await turn();
    expect(receiver.ends).toHaveLength(1);
  });

  it('is reported to a receiver that attaches after the end, without an event', async () => {
    const bench = new Bench();
    bench.push('a');
    bench.inbox.finish({ ...DISCONNECTED, reason: 'DRAINING', lastSequence: 1 });
    bench.inbox.cut({ reason: 'LEASE_EXPIRED', message: '' });
    const late = bench.attach();
    await turn();
    expect(late).toMatchObject({ events: [], ends: [{ reason: 'DRAINING' }] });
    expect(bench.inbox.receiverAttached).toBe(false);
  });

  it.each([
    ['was given everything', true, 'DISCONNECTED'],
    ['lost events', false, 'LEASE_EXPIRED'],
  ])(
    'of a mailbox that its owner disconnected is not reported as a normal end to a receiver that %s',
    (_, willing, reason) => {
      const bench = new Bench();
      const receiver = bench.attach({}, new RecordingReceiver(false));
      bench.push('a');
      bench.inbox.finish({ ...DISCONNECTED, lastSequence: 1 });
      if (willing) receiver.takeAll();
      bench.inbox.cut({ reason: 'LEASE_EXPIRED', message: '' });
      expect(receiver.ends).toMatchObject([{ reason }]);
    },
  );

  it('queues nothing more', async () => {
    const bench = new Bench();
    bench.inbox.finish(DISCONNECTED);
    bench.push('late');
    expect(bench.inbox.queue.lastSequence).toBe(0);
  });
});

describe('Inbox: after the end', () => {
  it('notifies the mailbox of each batch that is taken', async () => {
    const bench = new Bench();
    bench.pushMany(3);
    const receiver = bench.attach({}, new RecordingReceiver(false));
    receiver.attachment!.take(1);
    bench.inbox.finish({ reason: 'SLOW_CONSUMER', lastSequence: 3, message: '' });
    expect(bench.calls).toEqual([]);
    receiver.takeAll();
    expect(bench.calls).toEqual(['taken after the end']);
  });
});
