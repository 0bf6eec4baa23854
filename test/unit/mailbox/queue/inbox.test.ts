import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  Acknowledgement,
  MailboxEnd,
  QueueLimits,
} from '../../../../server/src/mailbox/mailbox-types.js';
import { ByteBudget } from '../../../../server/src/mailbox/queue/byte-budget.js';
import { EVENT_OVERHEAD_BYTES } from '../../../../server/src/mailbox/queue/event-log.js';
import { Inbox } from '../../../../server/src/mailbox/queue/inbox.js';
import type { AttachOptions } from '../../../../server/src/mailbox/queue/receiver.js';
import { plainEncode, regular } from '../../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';
import { until } from '../../../support/until.js';

const ABOUT = { privateGroup: '#me#test', groups: ['room'] };
const DISCONNECTED: MailboxEnd = { reason: 'DISCONNECTED', lastSequence: 0, message: 'over' };

/** An inbox on its own, with what it asked of its mailbox. */
class Bench {
  readonly calls: string[] = [];
  attached = 0;
  readonly inbox: Inbox;

  constructor(
    limits: Partial<QueueLimits> = {},
    acknowledgement: Acknowledgement = 'AUTO',
    readonly budget = new ByteBudget(1_000_000_000),
  ) {
    this.inbox = new Inbox(
      {
        acknowledgement,
        limits: {
          maxEvents: 1_000_000,
          maxBytes: 1_000_000,
          replayBytes: 1_000_000,
          overflow: 'PAUSE',
          ...limits,
        },
        noticeMark: 0.8,
        encode: plainEncode,
        budget,
      },
      {
        pause: () => this.calls.push('pause'),
        resume: () => this.calls.push('resume'),
        slowConsumer: () => this.calls.push('slow'),
      },
    );
    this.inbox.listen({
      overflow: (bound) => this.calls.push(`overflow ${bound}`),
      softLimitOver: (bound, timeMs) => this.calls.push(`over ${bound} for ${timeMs}`),
      takenAfterEnd: () => this.calls.push('taken after the end'),
      released: () => this.calls.push('released'),
      receiverAttached: () => {
        this.attached++;
        let gone = false;
        return () => {
          if (!gone) this.attached--;
          gone = true;
        };
      },
    });
  }

  push(...payloads: string[]): void {
    for (const payload of payloads) this.inbox.enqueue(1_000, regular(payload), '#me#test');
  }

  pushMany(count: number): void {
    for (let i = 0; i < count; i++) this.push('x');
  }

  attach(options: AttachOptions = {}, receiver = new RecordingReceiver()): RecordingReceiver {
    receiver.attachment = this.inbox.attach(options, receiver, ABOUT);
    return receiver;
  }
}

/** Lets everything that was scheduled for the end of the turn happen. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Inbox: receiving', () => {
  it('gives a receiver what waits and what comes', async () => {
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

  it('wakes a receiver once for all that one turn brought', async () => {
    const bench = new Bench();
    const receiver = bench.attach();
    await turn();
    bench.pushMany(500);
    await turn();
    expect(receiver).toMatchObject({ wakes: 1, batches: [500] });
  });

  it('does not wake a receiver again that has not taken yet', async () => {
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

  it('tells whether the receiver has everything', async () => {
    const bench = new Bench();
    const receiver = bench.attach({}, new RecordingReceiver(false));
    expect(receiver.attachment!.complete).toBe(true);
    bench.push('a');
    expect(receiver.attachment!.complete).toBe(false);
    receiver.takeAll();
    expect(receiver.attachment).toMatchObject({ complete: true, givenSequence: 1 });
  });

  it('keeps the events of a receiver that goes', async () => {
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

  it('lets a second receiver take over, and tells the first', async () => {
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

  it('leaves the first receiver alone when the second asks for what is not there', async () => {
    const bench = new Bench();
    const first = bench.attach();
    expect(() => bench.attach({ afterSequence: 7 })).toThrow(
      expect.objectContaining({ reason: 'SEQUENCE_NOT_RETAINED' }),
    );
    bench.push('a');
    await turn();
    expect(first).toMatchObject({ ends: [], sequences: [1] });
  });

  it.each(['maxOutstandingEvents', 'maxOutstandingBytes'] as const)('refuses %s with AUTO', (limit) => {
    const field = limit === 'maxOutstandingEvents' ? 'max_outstanding_events' : 'max_outstanding_bytes';
    expect(() => new Bench().attach({ [limit]: 1 })).toThrow(
      expect.objectContaining({ reason: 'FIELD_INVALID', metadata: { field, bound: '0' } }),
    );
  });

  it('keeps to the outstanding limit and goes on when events are acknowledged', async () => {
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

  it('forgets given events beyond the replay window', async () => {
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
  it('comes after everything, once, and lets the receiver go', async () => {
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

  it('comes also to a receiver that has everything, and to one that comes later', async () => {
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

  it('can be told before everything was given', async () => {
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

  it('is told to a receiver that comes after the cut, without an event', async () => {
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
    'of a mailbox that its owner disconnected is not told as a good one to a receiver that %s',
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

describe('Inbox: a full queue', () => {
  it('PAUSE reads on only when the queue has fallen to three quarters of its bound', async () => {
    const bench = new Bench({ maxEvents: 100 });
    const receiver = bench.attach({}, new RecordingReceiver(false));
    const pauses = () => bench.calls.filter((call) => call === 'pause').length;
    bench.pushMany(100);
    for (let taken = 0; taken < 24; taken++) {
      receiver.attachment!.take(1);
      bench.push('x');
      receiver.attachment!.take(1);
    }
    await turn();
    expect(pauses()).toBe(1);
    expect(bench.calls).not.toContain('resume');
    receiver.attachment!.take(1);
    expect(bench.calls).toContain('resume');
  });

  it('PAUSE stops reading at the bound of events and goes on when there is room', () => {
    const bench = new Bench({ maxEvents: 3 });
    const receiver = bench.attach({}, new RecordingReceiver(false, 1));
    bench.pushMany(2);
    expect(bench.calls).toEqual([]);
    bench.pushMany(1);
    expect(bench.calls.filter((call) => call !== 'slow')).toEqual(['pause']);
    expect(bench.inbox.paused).toBe(true);
    receiver.attachment!.take(1);
    expect(bench.calls.at(-1)).toBe('resume');
    expect(bench.inbox.paused).toBe(false);
  });

  it('PAUSE loses nothing that one more read still brings', () => {
    const bench = new Bench({ maxEvents: 3 });
    bench.pushMany(10);
    expect(bench.calls.filter((call) => call === 'pause')).toHaveLength(1);
    const receiver = bench.attach({}, new RecordingReceiver(false));
    receiver.takeAll();
    expect(receiver.sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('PAUSE keeps to the bound of bytes', () => {
    const bench = new Bench({ maxBytes: 5_000 });
    while (!bench.inbox.paused) bench.push('x'.repeat(100));
    expect(bench.inbox.queue.waitingBytes).toBeGreaterThanOrEqual(5_000);
    expect(bench.inbox.queue.waitingBytes).toBeLessThan(5_000 + 300);
  });

  it('PAUSE goes on when unacknowledged events are acknowledged', () => {
    const bench = new Bench({ maxEvents: 3 }, 'EXPLICIT');
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.pushMany(3);
    receiver.takeAll();
    expect(bench.inbox.paused).toBe(true);
    bench.inbox.acknowledge(1);
    expect(bench.inbox.paused).toBe(false);
  });

  it('PAUSE goes on when a receiver passes over what waits, which is then replay window', () => {
    const bench = new Bench({ maxEvents: 3, replayBytes: 1 });
    bench.pushMany(3);
    bench.attach({ afterSequence: 2 });
    expect(bench.inbox.paused).toBe(false);
    expect(bench.inbox.queue.acknowledgedSequence).toBe(2);
  });

  it('does not resume reading for a mailbox that has ended', () => {
    const bench = new Bench({ maxEvents: 1 });
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.push('a');
    bench.inbox.finish(DISCONNECTED);
    receiver.takeAll();
    expect(bench.calls).not.toContain('resume');
  });

  it('DISCONNECT ends at the first event over the bound, and keeps those below it', async () => {
    const bench = new Bench({ maxEvents: 3, overflow: 'DISCONNECT' });
    bench.pushMany(3);
    expect(bench.calls).toEqual(['slow']);
    bench.pushMany(2);
    expect(bench.calls).toEqual(['slow', 'overflow 3 events']);
    expect(bench.inbox.queue.lastSequence).toBe(3);
  });

  it('DISCONNECT counts bytes exactly, but lets a single event be as large as it is', () => {
    const bench = new Bench({ maxBytes: 500, overflow: 'DISCONNECT' });
    bench.push('x'.repeat(2_000));
    expect(bench.calls).toEqual(['slow']);
    bench.push('y');
    expect(bench.calls).toEqual(['slow', 'overflow 500 bytes']);

    const full = new Bench({ maxBytes: 1_000, overflow: 'DISCONNECT' });
    while (full.calls.at(-1) !== 'overflow 1000 bytes') full.push('x'.repeat(50));
    expect(full.inbox.queue.waitingBytes).toBeLessThanOrEqual(1_000);
    expect(full.inbox.queue.waitingBytes).toBeGreaterThan(800);
  });

  it('DISCONNECT never pauses', () => {
    const bench = new Bench({ maxEvents: 3, overflow: 'DISCONNECT' });
    bench.pushMany(3);
    expect(bench.calls).not.toContain('pause');
  });
});

describe('Inbox: the slow consumer', () => {
  it('is told once each time the queue rises over the mark', async () => {
    const bench = new Bench({ maxEvents: 10 });
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.pushMany(8);
    expect(receiver.notices).toEqual([]);
    bench.pushMany(1);
    expect(receiver.notices).toMatchObject([{ queuedEvents: 9, limits: { maxEvents: 10 } }]);
    bench.pushMany(3);
    expect(receiver.notices).toHaveLength(1);
    receiver.takeAll();
    bench.pushMany(8);
    expect(receiver.notices).toHaveLength(1);
    bench.pushMany(1);
    expect(receiver.notices).toHaveLength(2);
    expect(bench.calls.filter((call) => call === 'slow')).toHaveLength(2);
  });

  it('is told by bytes as well, before the queue is full', () => {
    const bench = new Bench({ maxBytes: 10_000 });
    const receiver = bench.attach({}, new RecordingReceiver(false));
    while (receiver.notices.length === 0) bench.push('x'.repeat(100));
    expect(receiver.notices[0]!.queuedBytes).toBeGreaterThan(8_000);
    expect(receiver.notices[0]!.queuedBytes).toBeLessThan(8_500);
    expect(bench.inbox.paused).toBe(false);
  });

  it('is counted also when nobody is attached', () => {
    const bench = new Bench({ maxEvents: 10 });
    bench.pushMany(9);
    expect(bench.calls).toEqual(['slow']);
  });
});

describe('Inbox: the bound of all mailboxes', () => {
  it('pauses one hog at half of it, and leaves the other half to those who keep up', async () => {
    const budget = new ByteBudget(100_000);
    const hog = new Bench({ replayBytes: 1 }, 'AUTO', budget);
    const quick = new Bench({ replayBytes: 1 }, 'AUTO', budget);
    const receiver = quick.attach();
    while (!hog.inbox.paused) hog.push('x'.repeat(100));
    expect(budget.used).toBeGreaterThan(49_000);
    expect(budget.used).toBeLessThan(51_000);
    for (let i = 0; i < 100; i++) {
      quick.push('y'.repeat(100));
      await turn();
    }
    expect(receiver.sequences).toHaveLength(100);
    expect(quick.calls).toEqual([]);
    expect(budget.used).toBeLessThan(100_000);
  });

  it('never lets several hogs together break it', () => {
    const budget = new ByteBudget(100_000);
    const hogs = Array.from({ length: 20 }, () => new Bench({}, 'AUTO', budget));
    for (const hog of hogs) while (!hog.inbox.paused) hog.push('x'.repeat(50));
    expect(budget.used).toBeLessThanOrEqual(100_000 + 20 * 200);
  });

  it('lets a paused mailbox go on when another one gives its bytes back', async () => {
    const budget = new ByteBudget(100_000);
    const first = new Bench({}, 'AUTO', budget);
    const second = new Bench({}, 'AUTO', budget);
    while (!first.inbox.paused) first.push('x'.repeat(100));
    while (!second.inbox.paused) second.push('x'.repeat(100));
    first.inbox.dispose();
    await until(() => !second.inbox.paused, { what: 'the second mailbox reads again' });
    expect(second.calls.at(-1)).toBe('resume');
  });

  it('lets a paused mailbox wait on when what was given back is not enough', async () => {
    const budget = new ByteBudget(100_000);
    const small = new Bench({}, 'AUTO', budget);
    const large = new Bench({}, 'AUTO', budget);
    small.push('x'.repeat(100));
    while (!large.inbox.paused) large.push('x'.repeat(1_000));
    const paused = new Bench({}, 'AUTO', budget);
    while (!paused.inbox.paused) paused.push('x'.repeat(30_000));
    small.inbox.dispose();
    await turn();
    await turn();
    expect(paused.inbox.paused).toBe(true);
    large.inbox.dispose();
    await until(() => !paused.inbox.paused, { what: 'it reads again' });
  });

  it('ends a mailbox whose policy is DISCONNECT', () => {
    const budget = new ByteBudget(10_000);
    const bench = new Bench({ overflow: 'DISCONNECT' }, 'AUTO', budget);
    while (bench.calls.length < 2) bench.push('x'.repeat(100));
    expect(bench.calls).toEqual(['slow', 'overflow 10000 bytes of all mailboxes']);
  });

  it('shrinks replay windows rather than starve what has to be received', async () => {
    const budget = new ByteBudget(100_000);
    const benches = Array.from({ length: 4 }, () => new Bench({}, 'AUTO', budget));
    for (const bench of benches) bench.attach();
    for (let round = 0; round < 400; round++) {
      for (const bench of benches) bench.push('x'.repeat(500));
      await turn();
    }
    expect(budget.used).toBeLessThan(100_000);
    for (const bench of benches) {
      expect(bench.inbox.queue.retainedBytes).toBeGreaterThan(5_000);
      expect(bench.inbox.paused).toBe(false);
    }
  });

  it('gets back everything that a mailbox held', async () => {
    const budget = new ByteBudget(1_000_000);
    const bench = new Bench({}, 'EXPLICIT', budget);
    bench.attach();
    bench.pushMany(100);
    await turn();
    expect(budget.used).toBeGreaterThan(0);
    bench.inbox.acknowledge(50);
    bench.inbox.dispose();
    bench.push('late');
    expect(budget.used).toBe(0);
  });
});

describe('Inbox: a soft limit', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const softLimit = { fraction: 0.5, timeMs: 1000 };

  it('tells the receiver, and then the mailbox, that the time is over', async () => {
    const bench = new Bench({ maxEvents: 10, softLimit });
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.pushMany(5);
    expect(receiver.notices).toEqual([]);
    bench.pushMany(2);
    expect(receiver.notices).toMatchObject([
      { queuedEvents: 6, mark: { events: 5, bytes: 500_000 }, timeLeftMs: 1000, limits: { softLimit } },
    ]);
    expect(bench.inbox.softLimitRemainingMs).toBe(1000);
    vi.advanceTimersByTime(400);
    bench.pushMany(2);
    expect(receiver.notices[1]).toMatchObject({
      queuedEvents: 9,
      mark: { events: 5 },
      timeLeftMs: 600,
    });
    vi.advanceTimersByTime(599);
    expect(bench.calls).toEqual(['slow', 'slow']);
    vi.advanceTimersByTime(1);
    expect(bench.calls).toEqual(['slow', 'slow', 'over 5 events for 1000']);
  });

  it('is forgotten when the receiver takes enough', async () => {
    const bench = new Bench({ maxEvents: 10, softLimit });
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.pushMany(8);
    receiver.attachment!.take(1);
    receiver.attachment!.take(1);
    expect(bench.inbox.softLimitRemainingMs).toBe(1000);
    receiver.attachment!.take(1);
    expect(bench.inbox.softLimitRemainingMs).toBeUndefined();
    vi.advanceTimersByTime(5000);
    expect(bench.calls).toEqual(['slow']);
  });

  it('EXPLICIT: runs while nothing is acknowledged, and is forgotten with an acknowledgement', async () => {
    const bench = new Bench({ maxEvents: 10, softLimit }, 'EXPLICIT');
    const receiver = bench.attach();
    await turn();
    bench.pushMany(8);
    await turn();
    expect(receiver.sequences).toHaveLength(8);
    expect(bench.inbox.softLimitRemainingMs).toBe(1000);
    bench.inbox.acknowledge(3);
    expect(bench.inbox.softLimitRemainingMs).toBeUndefined();
    bench.pushMany(1);
    vi.advanceTimersByTime(1000);
    expect(bench.calls).toEqual(['slow', 'slow', 'over 5 events for 1000']);
  });

  it('runs while no receiver is there, and one that comes is told how much time is left', async () => {
    const bench = new Bench({ maxEvents: 10, softLimit });
    bench.pushMany(6);
    vi.advanceTimersByTime(300);
    const receiver = bench.attach({}, new RecordingReceiver(false));
    expect(receiver.notices).toEqual([]);
    await turn();
    expect(receiver.notices).toMatchObject([{ queuedEvents: 6, timeLeftMs: 700 }]);
    // The log was told when it began.
    expect(bench.calls).toEqual(['slow']);
  });

  it('is no matter for a receiver that comes and passes over what waits', async () => {
    const bench = new Bench({ maxEvents: 10, softLimit });
    bench.pushMany(6);
    const receiver = bench.attach({ afterSequence: 6 });
    await turn();
    expect(receiver.notices).toEqual([]);
    expect(bench.inbox.softLimitRemainingMs).toBeUndefined();
  });

  it.each([
    ['the end', (bench: Bench) => bench.inbox.finish({ reason: 'DRAINING', lastSequence: 6, message: '' })],
    ['being let go', (bench: Bench) => bench.inbox.dispose()],
  ])('does not run any more after %s', (_, end) => {
    const bench = new Bench({ maxEvents: 10, softLimit });
    bench.pushMany(6);
    end(bench);
    expect(vi.getTimerCount()).toBe(0);
    expect(bench.inbox.softLimitRemainingMs).toBeUndefined();
  });

  it('costs no timer for a message', () => {
    const bench = new Bench({ maxEvents: 1000, softLimit });
    const receiver = bench.attach({}, new RecordingReceiver(false));
    const made = vi.spyOn(globalThis, 'setTimeout');
    bench.pushMany(500);
    for (let i = 0; i < 1000; i++) {
      bench.push('x');
      receiver.attachment!.take(1);
    }
    expect(made).toHaveBeenCalledTimes(1);
  });
});

describe('Inbox: after the end', () => {
  it('tells the mailbox of each batch that is taken', async () => {
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
