import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ByteBudget } from '../../../../server/src/mailbox/queue/byte-budget.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';
import { until } from '../../../support/until.js';
import { Bench, DISCONNECTED, turn } from './inbox-bench.js';

describe('Inbox: a full queue', () => {
  it('PAUSE continues to read only when the queue has fallen to three quarters of its limit', async () => {
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

  it('PAUSE stops reading at the limit of events and continues when there is room', () => {
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

  it('PAUSE loses none of the events of one more read', () => {
    const bench = new Bench({ maxEvents: 3 });
    bench.pushMany(10);
    expect(bench.calls.filter((call) => call === 'pause')).toHaveLength(1);
    const receiver = bench.attach({}, new RecordingReceiver(false));
    receiver.takeAll();
    expect(receiver.sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('PAUSE keeps to the limit of bytes', () => {
    const bench = new Bench({ maxBytes: 5_000 });
    while (!bench.inbox.paused) bench.push('x'.repeat(100));
    expect(bench.inbox.queue.waitingBytes).toBeGreaterThanOrEqual(5_000);
    expect(bench.inbox.queue.waitingBytes).toBeLessThan(5_000 + 300);
  });

  it('PAUSE continues when unacknowledged events are acknowledged', () => {
    const bench = new Bench({ maxEvents: 3 }, 'EXPLICIT');
    const receiver = bench.attach({}, new RecordingReceiver(false));
    bench.pushMany(3);
    receiver.takeAll();
    expect(bench.inbox.paused).toBe(true);
    bench.inbox.acknowledge(1);
    expect(bench.inbox.paused).toBe(false);
  });

  it('PAUSE continues when a receiver skips queued events, which are then in the replay window', () => {
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

  it('DISCONNECT ends at the first event over the limit, and keeps those below it', async () => {
    const bench = new Bench({ maxEvents: 3, overflow: 'DISCONNECT' });
    bench.pushMany(3);
    expect(bench.calls).toEqual(['slow']);
    bench.pushMany(2);
    expect(bench.calls).toEqual(['slow', 'overflow 3 events']);
    expect(bench.inbox.queue.lastSequence).toBe(3);
  });

  it('DISCONNECT counts bytes exactly, but accepts a single event of any size', () => {
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
  it('is reported once each time the queue exceeds the threshold', async () => {
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

  it('is reported by bytes as well, before the queue is full', () => {
    const bench = new Bench({ maxBytes: 10_000 });
    const receiver = bench.attach({}, new RecordingReceiver(false));
    while (receiver.notices.length === 0) bench.push('x'.repeat(100));
    expect(receiver.notices[0]!.queuedBytes).toBeGreaterThan(8_000);
    expect(receiver.notices[0]!.queuedBytes).toBeLessThan(8_500);
    expect(bench.inbox.paused).toBe(false);
  });

  it('is counted also without a receiver', () => {
    const bench = new Bench({ maxEvents: 10 });
    bench.pushMany(9);
    expect(bench.calls).toEqual(['slow']);
  });
});

describe('Inbox: the limit of all mailboxes', () => {
  it('pauses one large mailbox at half of it, and leaves the other half to fast receivers', async () => {
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

  it('is never exceeded by several large mailboxes together', () => {
    const budget = new ByteBudget(100_000);
    const hogs = Array.from({ length: 20 }, () => new Bench({}, 'AUTO', budget));
    for (const hog of hogs) while (!hog.inbox.paused) hog.push('x'.repeat(50));
    expect(budget.used).toBeLessThanOrEqual(100_000 + 20 * 200);
  });

  it('lets a paused mailbox continue when another one releases its bytes', async () => {
    const budget = new ByteBudget(100_000);
    const first = new Bench({}, 'AUTO', budget);
    const second = new Bench({}, 'AUTO', budget);
    while (!first.inbox.paused) first.push('x'.repeat(100));
    while (!second.inbox.paused) second.push('x'.repeat(100));
    first.inbox.dispose();
    await until(() => !second.inbox.paused, { what: 'the second mailbox reads again' });
    expect(second.calls.at(-1)).toBe('resume');
  });

  it('keeps a mailbox paused when the released bytes are not enough', async () => {
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

  it('shrinks replay windows before it pauses mailboxes', async () => {
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

  it('gets back all bytes of a mailbox', async () => {
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

  it('is reported to the receiver, and then to the mailbox when the time has passed', async () => {
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

  it('is reset when the receiver takes enough', async () => {
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

  it('EXPLICIT: runs while nothing is acknowledged, and is reset with an acknowledgement', async () => {
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

  it('runs without a receiver, and a new one gets the time left', async () => {
    const bench = new Bench({ maxEvents: 10, softLimit });
    bench.pushMany(6);
    vi.advanceTimersByTime(300);
    const receiver = bench.attach({}, new RecordingReceiver(false));
    expect(receiver.notices).toEqual([]);
    await turn();
    expect(receiver.notices).toMatchObject([{ queuedEvents: 6, timeLeftMs: 700 }]);
    // The log got the event at the start.
    expect(bench.calls).toEqual(['slow']);
  });

  it('has no effect for a receiver that attaches and skips queued events', async () => {
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

  it('needs no timer for a message', () => {
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
