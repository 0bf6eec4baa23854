import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { EVENT_OVERHEAD_BYTES, EventLog } from '../../../../server/src/mailbox/queue/event-log.js';
import { BufferPool } from '../../../../server/src/memory/buffer-pool.js';
import { Random } from '../../../chaos/random.js';
import { until } from '../../../support/until.js';

/** Appends an event whose bytes are all its sequence. */
function append(log: EventLog, bytes: number): void {
  const at = log.reserve(bytes);
  log.buffer.fill((log.lastSequence + 1) % 251, at, at + bytes);
  log.commit();
}

function contents(log: EventLog, after: number, maxBytes = Infinity, maxEvents = Infinity): number[] {
  return [...Buffer.concat(log.slice(after, maxBytes, maxEvents)?.buffers ?? [])];
}

describe('EventLog', () => {
  it('returns events side by side, from any retained position', () => {
    const log = new EventLog();
    for (let i = 0; i < 3; i++) append(log, 2);
    expect(contents(log, 0)).toEqual([1, 1, 2, 2, 3, 3]);
    expect(contents(log, 1)).toEqual([2, 2, 3, 3]);
    expect(log.slice(3, 100, 100)).toBeUndefined();
  });

  it('limits a slice by bytes and by events, but returns at least one event', () => {
    const log = new EventLog();
    for (let i = 0; i < 5; i++) append(log, 10);
    expect(log.slice(0, 35, Infinity)).toMatchObject({ bytes: 30, lastSequence: 3 });
    expect(log.slice(0, 30, Infinity)).toMatchObject({ bytes: 30, lastSequence: 3 });
    expect(log.slice(0, 1, Infinity)).toMatchObject({ bytes: 10, lastSequence: 1 });
    expect(log.slice(0, Infinity, 2)).toMatchObject({ bytes: 20, lastSequence: 2 });
    expect(log.slice(0, Infinity, 0)).toBeUndefined();
  });

  it('returns a large event alone when it does not fit', () => {
    const log = new EventLog();
    append(log, 10);
    append(log, 100_000);
    append(log, 10);
    expect(log.slice(0, 1000, Infinity)).toMatchObject({ bytes: 10, lastSequence: 1 });
    expect(log.slice(1, 1000, Infinity)).toMatchObject({ bytes: 100_000, lastSequence: 2 });
    expect(log.slice(0, 200_000, Infinity)).toMatchObject({ bytes: 100_020, lastSequence: 3 });
  });

  it('puts small neighbors into one buffer, also around a large one', () => {
    const log = new EventLog();
    for (let i = 0; i < 5; i++) append(log, 100);
    append(log, 60_000);
    for (let i = 0; i < 5; i++) append(log, 100);
    const { buffers } = log.slice(0, Infinity, Infinity)!;
    expect(buffers.map((buffer) => buffer.length)).toEqual([500, 60_000, 500]);
    // The open chunk continues after the large event instead of being wasted.
    expect(buffers[2]!.buffer).toBe(buffers[0]!.buffer);
  });

  it('reuses memory when all of its events were discarded and released', () => {
    const log = new EventLog();
    append(log, 4);
    const slice = log.slice(0, 100, 100)!;
    const [given] = slice.buffers;
    log.forget(1);
    append(log, 4);
    expect([...given!]).toEqual([1, 1, 1, 1]);
    log.forget(2);
    slice.release();
    slice.release();
    append(log, 4);
    // The only chunk.
    expect([...given!]).toEqual([3, 3, 3, 3]);
  });

  it('never releases memory that is still read, and releases each buffer once', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Random(seed);
      const out = new Set<Buffer>();
      const log = new EventLog({
        take(bytes) {
          const buffer = Buffer.alloc(bytes + random.int(0, 99), 0xee);
          out.add(buffer);
          return buffer;
        },
        give(buffer) {
          expect(out.delete(buffer)).toBe(true);
          buffer.fill(0xff);
        },
      });
      const unread: (() => void)[] = [];
      for (let step = 0; step < 400; step++) {
        for (let i = random.int(0, 7); i > 0; i--)
          append(log, random.chance(1 / 20) ? 30_000 : 1 + random.int(0, 899));
        if (random.chance(1 / 10)) {
          log.reserve(random.chance(1 / 2) ? 20_000 : 10);
          log.discard();
        }
        const after = log.forgottenSequence + random.int(0, 2);
        if (after > log.lastSequence) continue;
        const slice = log.slice(after, random.int(0, 4999), 1 + random.int(0, 19));
        if (slice === undefined) continue;
        // As with AUTO: delivered events are discarded before they are read.
        log.forget(random.chance(1 / 2) ? slice.lastSequence : after);
        const expected = Array.from({ length: slice.lastSequence - after }, (_, i) => (after + 1 + i) % 251);
        unread.push(() => {
          expect(new Set(Buffer.concat(slice.buffers))).toEqual(new Set(expected));
          slice.release();
        });
        // A transport holds some of them at a time.
        while (unread.length > random.int(0, 4)) unread.shift()!();
      }
      for (const read of unread) read();
      log.clear();
      expect(out.size).toBe(0);
    }
  });

  it('counts bytes of retained events', () => {
    const log = new EventLog();
    for (let i = 0; i < 100; i++) append(log, 1000);
    expect(log.retainedBytes).toBe(100_000);
    expect(log.forget(40)).toBe(40_000 + 40 * EVENT_OVERHEAD_BYTES);
    expect(log.retainedBytes).toBe(60_000);
    expect(log.forget(10)).toBe(0);
    expect(log.bytesUpTo(40)).toBe(40_000);
    expect(log.bytesUpTo(77)).toBe(77_000);
    expect(log.forget(100)).toBe(60_000 + 60 * EVENT_OVERHEAD_BYTES);
    expect(log.retainedBytes).toBe(0);
    append(log, 5);
    expect(contents(log, 100)).toEqual([101, 101, 101, 101, 101]);
  });

  it('finds where the newest bytes start', () => {
    const log = new EventLog();
    for (let i = 0; i < 100; i++) append(log, 1000);
    expect(log.startOfLast(10_000, 100)).toBe(90);
    expect(log.startOfLast(10_999, 100)).toBe(90);
    expect(log.startOfLast(0, 100)).toBe(100);
    expect(log.startOfLast(10_000, 50)).toBe(40);
    expect(log.startOfLast(1_000_000, 100)).toBe(0);
    for (let events = 0; events <= 100; events++)
      expect(log.startOfLast(events * 1000, 100)).toBe(100 - events);
    log.forget(95);
    expect(log.startOfLast(10_000, 100)).toBe(95);
  });

  it('frees a reserved position when its event failed', () => {
    const log = new EventLog();
    append(log, 4);
    log.reserve(1000);
    log.discard();
    append(log, 4);
    expect(contents(log, 0)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(log.lastSequence).toBe(2);
  });

  it('rejects two positions for one event', () => {
    const log = new EventLog();
    log.reserve(10);
    expect(() => log.reserve(10)).toThrow(/already reserved/);
  });

  it('releases the memory of discarded events, while newer events stay', async () => {
    const log = new EventLog(new BufferPool(0));
    const chunks: WeakRef<ArrayBufferLike>[] = [];
    for (let i = 0; i < 50; i++) {
      append(log, 200_000);
      chunks.push(new WeakRef(log.slice(i, 1, 1)!.buffers[0]!.buffer));
    }
    log.forget(49);
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    await until(
      () => {
        collectGarbage();
        return chunks.filter((chunk) => chunk.deref() !== undefined).length === 1;
      },
      { what: 'only the chunk of the last event is alive' },
    );
    expect(log.slice(49, 1, 1)!.bytes).toBe(200_000);
  });

  it('drains a million events in linear time', () => {
    const perEvent = (events: number): number => {
      const log = new EventLog();
      for (let i = 0; i < events; i++) append(log, 20);
      const began = performance.now();
      let after = 0;
      for (;;) {
        const slice = log.slice(after, 4096, Infinity);
        if (slice === undefined) break;
        after = slice.lastSequence;
        log.forget(after);
      }
      expect(after).toBe(events);
      return (performance.now() - began) / events;
    };
    perEvent(50_000);
    const small = perEvent(100_000);
    const large = perEvent(1_000_000);
    // Quadratic time would be ten times as much per event.
    expect(large).toBeLessThan(small * 5 + 0.0005);
  });
});
