import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EncodeEvent } from '../../../../server/src/mailbox/event.js';
import type { Acknowledgement } from '../../../../server/src/mailbox/mailbox-types.js';
import { DeliveryQueue, NO_OUTSTANDING_LIMITS } from '../../../../server/src/mailbox/queue/delivery-queue.js';
import { EVENT_OVERHEAD_BYTES } from '../../../../server/src/mailbox/queue/event-log.js';
import { MailboxError } from '../../../../server/src/mailbox/sidecar-error.js';
import { plainEncode, plainEvents, regular } from '../../../support/mailboxes/plain-events.js';

/** The size of an event is the size of its payload. */
const sizedEncode: EncodeEvent = (space, _sequence, _receivedAtMs, event) => {
  const { payload } = event as ReturnType<typeof regular>;
  const at = space.reserve(payload.length);
  space.buffer.set(payload, at);
};

function queueOf(acknowledgement: Acknowledgement, sizes: readonly number[]): DeliveryQueue {
  const queue = new DeliveryQueue(acknowledgement, sizedEncode);
  for (const size of sizes) push(queue, size);
  return queue;
}

function push(queue: DeliveryQueue, size: number): void {
  queue.prepare(0, regular('x'.repeat(size)), '#me#test');
  queue.commit();
}

/** The sequences of the next batch. */
function take(queue: DeliveryQueue, maxBytes = Infinity, limits = NO_OUTSTANDING_LIMITS): number[] {
  const batch = queue.take(maxBytes, limits);
  if (batch === undefined) return [];
  return Array.from(
    { length: batch.lastSequence - batch.firstSequence + 1 },
    (_, i) => batch.firstSequence + i,
  );
}

function reasonOf(action: () => unknown): MailboxError {
  try {
    action();
  } catch (error) {
    if (error instanceof MailboxError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('DeliveryQueue', () => {
  it('numbers events from 1 without a gap and passes time and private group to the encoder', () => {
    const queue = new DeliveryQueue('AUTO', plainEncode);
    for (const payload of ['a', 'b', 'c']) {
      queue.prepare(1700, regular(payload), '#me#test');
      queue.commit();
    }
    const events = plainEvents(queue.take(Infinity, NO_OUTSTANDING_LIMITS));
    expect(events.map((event) => [event.sequence, event.what])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
    expect(events[0]).toMatchObject({ receivedAtMs: 1700, privateGroup: '#me#test' });
  });

  it('leaves no gap after an event that was not committed or could not be encoded', () => {
    let broken = false;
    const queue = new DeliveryQueue('AUTO', (...args) => {
      plainEncode(...args);
      if (broken) throw new Error('defect');
    });
    queue.prepare(0, regular('dropped'), '#me#test');
    queue.discard();
    broken = true;
    expect(() => queue.prepare(0, regular('broken'), '#me#test')).toThrow('defect');
    broken = false;
    queue.prepare(0, regular('kept'), '#me#test');
    queue.commit();
    expect(plainEvents(queue.take(Infinity, NO_OUTSTANDING_LIMITS))).toMatchObject([
      { sequence: 1, what: 'kept' },
    ]);
  });

  describe('AUTO', () => {
    it('counts taken events as delivered, and starts after them', () => {
      const queue = queueOf('AUTO', [10, 10, 10, 10]);
      expect(take(queue, 20)).toEqual([1, 2]);
      expect(queue).toMatchObject({ deliveredSequence: 2, waitingEvents: 2, waitingBytes: 20 });
      queue.seek(undefined);
      expect(take(queue)).toEqual([3, 4]);
    });

    it('resumes after any sequence of the replay window', () => {
      const queue = queueOf('AUTO', [10, 10, 10, 10, 10, 10]);
      take(queue, 50);
      queue.trimReplay(30);
      expect(queue).toMatchObject({ acknowledgedSequence: 2, oldestRetained: 3, retainedBytes: 40 });
      queue.seek(2);
      expect(take(queue, 20)).toEqual([3, 4]);
      queue.seek(4);
      expect(take(queue)).toEqual([5, 6]);
    });

    it('rejects sequences that are no longer retained or do not exist', () => {
      const queue = queueOf('AUTO', [10, 10, 10, 10, 10]);
      take(queue);
      queue.trimReplay(20);
      const error = reasonOf(() => queue.seek(2));
      expect(error.reason).toBe('SEQUENCE_NOT_RETAINED');
      expect(error.metadata).toMatchObject({
        field: 'after_sequence',
        oldest_retained_sequence: '4',
        last_sequence: '5',
      });
      expect(reasonOf(() => queue.seek(6)).reason).toBe('SEQUENCE_NOT_RETAINED');
      expect(reasonOf(() => queue.seek(1.5)).reason).toBe('SEQUENCE_NOT_RETAINED');
      queue.seek(3);
      expect(take(queue)).toEqual([4, 5]);
    });

    it('retains the newest whole events within the replay window', () => {
      const queue = queueOf('AUTO', [10, 10, 10]);
      take(queue);
      expect(queue.trimReplay(29)).toBe(10 + EVENT_OVERHEAD_BYTES);
      expect(queue.oldestRetained).toBe(2);
      expect(queue.trimReplay(5)).toBe(20 + 2 * EVENT_OVERHEAD_BYTES);
      expect(queue.oldestRetained).toBe(4);
    });

    it('never discards queued events', () => {
      const queue = queueOf('AUTO', [10, 10, 10]);
      expect(queue.trimReplay(0)).toBe(0);
      take(queue, 10);
      queue.trimReplay(0);
      expect(take(queue)).toEqual([2, 3]);
    });

    it('retains the events that a receiver still needs after resuming further back', () => {
      const queue = queueOf('AUTO', [10, 10, 10, 10]);
      take(queue);
      queue.seek(1);
      queue.trimReplay(0);
      expect(take(queue)).toEqual([2, 3, 4]);
    });

    it('lets a receiver skip events: they count as delivered', () => {
      const queue = queueOf('AUTO', [10, 10, 10]);
      queue.seek(2);
      expect(queue).toMatchObject({ deliveredSequence: 2, waitingEvents: 1 });
      expect(take(queue)).toEqual([3]);
    });

    it('shortens the replay window with Acknowledge, but not beyond delivered events', () => {
      const queue = queueOf('AUTO', [10, 10, 10, 10]);
      take(queue, 30);
      expect(reasonOf(() => queue.acknowledge(4)).metadata).toMatchObject({ field: 'up_to_sequence' });
      expect(queue.acknowledge(2)).toBe(20 + 2 * EVENT_OVERHEAD_BYTES);
      expect(queue.oldestRetained).toBe(3);
      expect(take(queue)).toEqual([4]);
    });

    it('counts only queued events against its limits', () => {
      const queue = queueOf('AUTO', [10, 10, 10]);
      take(queue, 20);
      expect(queue).toMatchObject({ loadEvents: 1, loadBytes: 10, retainedBytes: 30 });
    });
  });

  describe('EXPLICIT', () => {
    it('retains events until they are acknowledged and redelivers them', () => {
      const queue = queueOf('EXPLICIT', [10, 10, 10]);
      expect(take(queue)).toEqual([1, 2, 3]);
      queue.seek(undefined);
      expect(take(queue)).toEqual([1, 2, 3]);
      queue.acknowledge(2);
      queue.seek(undefined);
      expect(take(queue)).toEqual([3]);
      expect(queue.trimReplay(0)).toBe(0);
    });

    it('acknowledges cumulatively; less than before has no effect', () => {
      const queue = queueOf('EXPLICIT', [10, 10, 10]);
      take(queue);
      queue.acknowledge(2);
      expect(queue.acknowledge(1)).toBe(0);
      expect(queue.acknowledgedSequence).toBe(2);
    });

    it('rejects the acknowledgement of undelivered events', () => {
      const queue = queueOf('EXPLICIT', [10, 10, 10]);
      take(queue, 20);
      expect(reasonOf(() => queue.acknowledge(3)).reason).toBe('SEQUENCE_NOT_RETAINED');
      expect(reasonOf(() => queue.acknowledge(-1)).reason).toBe('SEQUENCE_NOT_RETAINED');
    });

    it('can be acknowledged beyond a receiver that gets redelivered events', () => {
      const queue = queueOf('EXPLICIT', [10, 10, 10, 10]);
      take(queue);
      queue.seek(undefined);
      expect(take(queue, 10)).toEqual([1]);
      queue.acknowledge(3);
      expect(take(queue)).toEqual([4]);
    });

    it('never has more events outstanding than the limit', () => {
      const queue = queueOf('EXPLICIT', [10, 10, 10, 10]);
      const limits = { events: 2, bytes: Infinity };
      expect(take(queue, Infinity, limits)).toEqual([1, 2]);
      expect(queue.mayTake(limits)).toBe(false);
      expect(take(queue, Infinity, limits)).toEqual([]);
      queue.acknowledge(1);
      expect(take(queue, Infinity, limits)).toEqual([3]);
    });

    it('never has more bytes outstanding than the limit, but delivers one event when none is outstanding', () => {
      const queue = queueOf('EXPLICIT', [10, 15, 100, 5]);
      const limits = { events: Infinity, bytes: 25 };
      expect(take(queue, 10, limits)).toEqual([1]);
      expect(take(queue, Infinity, limits)).toEqual([2]);
      expect(take(queue, Infinity, limits)).toEqual([]);
      queue.acknowledge(1);
      expect(take(queue, Infinity, limits)).toEqual([]);
      queue.acknowledge(2);
      expect(take(queue, Infinity, limits)).toEqual([3]);
      expect(take(queue, Infinity, limits)).toEqual([]);
      queue.acknowledge(3);
      expect(take(queue, Infinity, limits)).toEqual([4]);
    });

    it('counts unacknowledged events of an earlier receiver', () => {
      const queue = queueOf('EXPLICIT', [10, 10, 10, 10]);
      take(queue, 20);
      queue.seek(2);
      expect(take(queue, Infinity, { events: 2, bytes: Infinity })).toEqual([]);
      queue.acknowledge(1);
      expect(take(queue, Infinity, { events: 2, bytes: Infinity })).toEqual([3]);
    });

    it('counts unacknowledged events against its limits too', () => {
      const queue = queueOf('EXPLICIT', [10, 10, 10]);
      take(queue);
      expect(queue).toMatchObject({ loadEvents: 3, loadBytes: 30, waitingEvents: 0 });
      queue.acknowledge(2);
      expect(queue).toMatchObject({ loadEvents: 1, loadBytes: 10 });
    });
  });

  describe('measures the time of one event at a time:', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
    afterEach(() => void vi.useRealTimers());

    /** The time of the measured event in the next batch. */
    const queuedAt = (queue: DeliveryQueue, maxBytes = Infinity) =>
      queue.take(maxBytes, NO_OUTSTANDING_LIMITS)?.queuedAtMs;
    const later = () => vi.advanceTimersByTime(100);

    it('the first one, and then the first one after the last measured one was delivered', () => {
      const queue = queueOf('AUTO', [10]);
      const start = performance.now();
      later();
      push(queue, 10);
      expect(queuedAt(queue)).toBe(start);
      push(queue, 10);
      expect(queuedAt(queue)).toBe(start + 100);
    });

    it('no other event of a backlog', () => {
      const queue = queueOf('AUTO', [10, 10, 10]);
      const start = performance.now();
      later();
      expect(queuedAt(queue, 10)).toBe(start);
      expect(queuedAt(queue, 10)).toBeUndefined();
      push(queue, 10);
      expect(queuedAt(queue, 10)).toBeUndefined();
      expect(queuedAt(queue, 10)).toBe(start + 100);
    });

    it('never a redelivered or skipped event', () => {
      const queue = queueOf('AUTO', [10, 10]);
      queue.take(Infinity, NO_OUTSTANDING_LIMITS);
      queue.seek(0);
      expect(queuedAt(queue)).toBeUndefined();
      push(queue, 10);
      queue.seek(3);
      later();
      push(queue, 10);
      expect(queuedAt(queue)).toBe(performance.now());
    });
  });

  it('discards everything when it is cleared', () => {
    const queue = queueOf('EXPLICIT', [10, 10]);
    expect(queue.clear()).toBe(20 + 2 * EVENT_OVERHEAD_BYTES);
    expect(queue).toMatchObject({ retainedBytes: 0, waitingEvents: 0, lastSequence: 2 });
  });
});
