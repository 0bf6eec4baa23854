import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EncodeEvent } from '../../server/src/mailbox/event.js';
import type { Acknowledgement } from '../../server/src/mailbox/mailbox-types.js';
import { DeliveryQueue } from '../../server/src/mailbox/queue/delivery-queue.js';
import { EVENT_OVERHEAD_BYTES } from '../../server/src/mailbox/queue/event-log.js';
import { MailboxError } from '../../server/src/mailbox/sidecar-error.js';
import { regular } from '../support/mailboxes/plain-events.js';

/** Encodes an event as `size` bytes, each the sequence modulo 256. */
const encode: EncodeEvent = (space, sequence, size) => {
  const at = space.reserve(size);
  space.buffer.fill(sequence % 256, at, at + size);
};
const event = regular('');

/** A slow and simple model of the contract: every event ever, and four numbers. */
class NaiveQueue {
  readonly sizes: number[] = [];
  cursor = 0;
  delivered = 0;
  forgotten = 0;

  constructor(readonly acknowledgement: Acknowledgement) {}

  get last(): number {
    return this.sizes.length;
  }

  bytes(after: number, upTo: number): number {
    return this.sizes.slice(after, upTo).reduce((sum, size) => sum + size, 0);
  }

  seek(after: number | undefined): boolean {
    const target = after ?? (this.acknowledgement === 'AUTO' ? this.delivered : this.forgotten);
    if (target < this.forgotten || target > this.last) return false;
    this.move(target);
    return true;
  }

  /** The sequences of the next batch. */
  take(maxBytes: number, limits: { events: number; bytes: number }): number[] {
    const batch: number[] = [];
    while (this.cursor < this.last) {
      const size = this.sizes[this.cursor]!;
      if (batch.length > 0 && this.bytes(batch[0]! - 1, this.cursor) + size > maxBytes) break;
      if (this.acknowledgement === 'EXPLICIT' && this.cursor > this.forgotten) {
        if (this.cursor - this.forgotten >= limits.events) break;
        if (this.bytes(this.forgotten, this.cursor) + size > limits.bytes) break;
      }
      this.move(this.cursor + 1);
      batch.push(this.cursor);
    }
    return batch;
  }

  trim(replayBytes: number): void {
    if (this.acknowledgement !== 'AUTO') return;
    while (this.forgotten < this.cursor && this.bytes(this.forgotten, this.delivered) > replayBytes) {
      this.forgotten++;
    }
  }

  acknowledge(upTo: number): boolean {
    if (upTo > this.delivered) return false;
    if (upTo > this.cursor) this.move(upTo);
    this.forgotten = Math.max(this.forgotten, upTo);
    return true;
  }

  private move(to: number): void {
    this.cursor = to;
    this.delivered = Math.max(this.delivered, to);
  }
}

interface Pair {
  readonly real: DeliveryQueue;
  readonly naive: NaiveQueue;
}

function agree({ real, naive }: Pair): void {
  const load = naive.acknowledgement === 'AUTO' ? naive.delivered : naive.forgotten;
  expect({
    last: real.lastSequence,
    cursor: real.cursor,
    delivered: real.deliveredSequence,
    acknowledged: real.acknowledgedSequence,
    oldest: real.oldestRetained,
    waitingEvents: real.waitingEvents,
    waitingBytes: real.waitingBytes,
    retainedBytes: real.retainedBytes,
    loadEvents: real.loadEvents,
    loadBytes: real.loadBytes,
  }).toEqual({
    last: naive.last,
    cursor: naive.cursor,
    delivered: naive.delivered,
    acknowledged: naive.forgotten,
    oldest: naive.forgotten + 1,
    waitingEvents: naive.last - naive.delivered,
    waitingBytes: naive.bytes(naive.delivered, naive.last),
    retainedBytes: naive.bytes(naive.forgotten, naive.last),
    loadEvents: naive.last - load,
    loadBytes: naive.bytes(load, naive.last),
  });
}

/** True if the acknowledgement was allowed. */
function allowed(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof MailboxError && error.reason === 'SEQUENCE_NOT_RETAINED') return false;
    throw error;
  }
}

// Tiny sizes and limits often meet exactly, where off-by-one errors appear.
const sizes = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 10, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 2, arbitrary: fc.integer({ min: 500, max: 5_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 50_000 }) },
);
const bound = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 400 }),
  fc.integer({ min: 1, max: 60_000 }),
);
const sequence = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 400 }));
const orNone = (arbitrary: fc.Arbitrary<number>) => fc.oneof(arbitrary, fc.constant(Infinity));

const commands = fc.commands<Pair, Pair>(
  [
    fc.array(sizes, { minLength: 1, maxLength: 20 }).map((pushed) => ({
      check: () => true,
      toString: () => `push ${pushed.join(' ')}`,
      run: (pair: Pair) => {
        for (const size of pushed) {
          pair.naive.sizes.push(size);
          expect(pair.real.prepare(size, event, '#me#test')).toBe(size);
          pair.real.commit();
        }
        agree(pair);
      },
    })),
    sizes.map((size) => ({
      check: () => true,
      toString: () => `discard ${size}`,
      run: (pair: Pair) => {
        pair.real.prepare(size, event, '#me#test');
        pair.real.discard();
        agree(pair);
      },
    })),
    fc
      .tuple(bound, orNone(fc.integer({ min: 1, max: 10 })), orNone(bound))
      .map(([maxBytes, events, bytes]) => ({
        check: () => true,
        toString: () => `take ${maxBytes} outstanding ${events} events ${bytes} bytes`,
        run: (pair: Pair) => {
          const limits = { events, bytes };
          const may = pair.real.mayTake(limits);
          const batch = pair.real.take(maxBytes, limits);
          const expected = pair.naive.take(maxBytes, limits);
          expect(may).toBe(expected.length > 0);
          if (expected.length === 0) {
            expect(batch).toBeUndefined();
          } else {
            const first = expected[0]!;
            const last = expected.at(-1)!;
            expect(batch).toMatchObject({ firstSequence: first, lastSequence: last });
            expect(batch!.bytes).toBe(pair.naive.bytes(first - 1, last));
            const whole = Buffer.concat(
              expected.map((sequence) => Buffer.alloc(pair.naive.sizes[sequence - 1]!, sequence % 256)),
            );
            expect(Buffer.concat(batch!.buffers).equals(whole)).toBe(true);
          }
          agree(pair);
        },
      })),
    fc.option(sequence, { nil: undefined }).map((after) => ({
      check: () => true,
      toString: () => `seek ${after}`,
      run: (pair: Pair) => {
        expect(allowed(() => pair.real.seek(after))).toBe(pair.naive.seek(after));
        agree(pair);
      },
    })),
    sequence.map((upTo) => ({
      check: () => true,
      toString: () => `acknowledge ${upTo}`,
      run: (pair: Pair) => {
        expect(allowed(() => pair.real.acknowledge(upTo))).toBe(pair.naive.acknowledge(upTo));
        agree(pair);
      },
    })),
    fc.integer({ min: 0, max: 4 }).map((but) => ({
      check: () => true,
      toString: () => `acknowledge all that was given but ${but}`,
      run: (pair: Pair) => {
        const upTo = Math.max(0, pair.naive.delivered - but);
        expect(allowed(() => pair.real.acknowledge(upTo))).toBe(pair.naive.acknowledge(upTo));
        agree(pair);
      },
    })),
    fc.oneof(fc.constant(0), bound).map((replayBytes) => ({
      check: () => true,
      toString: () => `trim ${replayBytes}`,
      run: (pair: Pair) => {
        const [bytes, events] = [pair.real.retainedBytes, pair.naive.forgotten];
        const freed = pair.real.trimReplay(replayBytes);
        pair.naive.trim(replayBytes);
        agree(pair);
        const overhead = EVENT_OVERHEAD_BYTES * (pair.naive.forgotten - events);
        expect(freed).toBe(bytes - pair.real.retainedBytes + overhead);
      },
    })),
  ],
  { maxCommands: 60, size: 'max' },
);

describe('DeliveryQueue against a simple model', () => {
  for (const acknowledgement of ['AUTO', 'EXPLICIT'] as const) {
    it(`agrees with the model after any calls: ${acknowledgement}`, () => {
      fc.assert(
        fc.property(commands, (calls) => {
          const pair: Pair = {
            real: new DeliveryQueue(acknowledgement, encode),
            naive: new NaiveQueue(acknowledgement),
          };
          fc.modelRun(() => ({ model: pair, real: pair }), calls);
        }),
        { numRuns: 300 },
      );
    });
  }
});
