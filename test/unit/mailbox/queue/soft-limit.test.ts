import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ByteBudget } from '../../../../server/src/mailbox/queue/byte-budget.js';
import { QueueBounds } from '../../../../server/src/mailbox/queue/queue-bounds.js';
import { SoftLimit } from '../../../../server/src/mailbox/queue/soft-limit.js';

const TIME_MS = 10_000;

/** Half of 10 events or of 1000 bytes, for ten seconds. */
function limitOf(budget = new ByteBudget(1_000_000)) {
  const queue = {
    loadEvents: 0,
    loadBytes: 0,
    get loadMemory() {
      return this.loadBytes;
    },
  };
  const bounds = new QueueBounds(
    queue,
    { maxEvents: 10, maxBytes: 1000, replayBytes: 0, overflow: 'PAUSE' },
    budget,
  );
  const onOver = vi.fn();
  const limit = new SoftLimit(bounds.markAt(0.5), TIME_MS, onOver);
  const grow = (loadEvents: number) => {
    queue.loadEvents = loadEvents;
    return limit.grown();
  };
  const shrink = (loadEvents: number) => {
    queue.loadEvents = loadEvents;
    limit.shrunk();
  };
  return { limit, onOver, grow, shrink, queue };
}

describe('SoftLimit', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('ends, once, a queue that exceeded the limit for its time', () => {
    const { limit, onOver, grow } = limitOf();
    expect(grow(5)).toBe(false);
    expect(limit.remainingMs).toBeUndefined();
    vi.advanceTimersByTime(2 * TIME_MS);
    expect(grow(6)).toBe(true);
    expect(limit.remainingMs).toBe(TIME_MS);
    vi.advanceTimersByTime(TIME_MS - 1);
    expect(limit.remainingMs).toBe(1);
    expect(onOver).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onOver).toHaveBeenCalledTimes(1);
    expect(grow(9)).toBe(false);
    vi.advanceTimersByTime(5 * TIME_MS);
    expect(onOver).toHaveBeenCalledTimes(1);
  });

  it('reports only once that the time runs', () => {
    const { grow } = limitOf();
    expect([grow(6), grow(7), grow(10)]).toEqual([true, false, false]);
  });

  it('restarts each time that the queue falls to the limit', () => {
    const { limit, onOver, grow, shrink } = limitOf();
    for (let i = 0; i < 20; i++) {
      expect(grow(10)).toBe(true);
      vi.advanceTimersByTime(TIME_MS - 1);
      shrink(6);
      expect(limit.remainingMs).toBe(1);
      shrink(5);
      expect(limit.remainingMs).toBeUndefined();
    }
    grow(6);
    vi.advanceTimersByTime(TIME_MS - 1);
    expect(onOver).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onOver).toHaveBeenCalledTimes(1);
  });

  it('has at most one timer for any number of changes', () => {
    const { grow, shrink } = limitOf();
    const made = vi.spyOn(globalThis, 'setTimeout');
    for (let i = 0; i < 10_000; i++) {
      grow(6);
      shrink(5);
    }
    grow(6);
    expect(made).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('leaves no timer when nothing exceeds the limit any more', () => {
    const { grow, shrink } = limitOf();
    grow(6);
    shrink(1);
    vi.advanceTimersByTime(TIME_MS);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('applies to bytes as well as to events', () => {
    const { limit, queue } = limitOf();
    queue.loadBytes = 500;
    expect(limit.grown()).toBe(false);
    queue.loadBytes = 501;
    expect(limit.grown()).toBe(true);
    expect(limit.mark).toMatchObject({ events: 5, bytes: 500, inWords: '500 bytes' });
    queue.loadEvents = 6;
    expect(limit.mark.inWords).toBe('5 events');
  });

  it('depends on the other mailboxes, and is reset when they leave more', () => {
    const budget = new ByteBudget(1000);
    const { limit, onOver, queue } = limitOf(budget);
    queue.loadBytes = 100;
    budget.take(100);
    expect(limit.grown()).toBe(false);
    // 150 are free: with this queue, that is 125 each, and half of that is less than its size.
    budget.take(750);
    expect(limit.grown()).toBe(true);
    expect(limit.mark.bytes).toBe(62);
    vi.advanceTimersByTime(TIME_MS - 1);
    // The queue itself does not change.
    budget.give(750);
    vi.advanceTimersByTime(2 * TIME_MS);
    expect(onOver).not.toHaveBeenCalled();
    expect(limit.remainingMs).toBeUndefined();
  });

  it('restarts after a pause of the whole process', () => {
    const { limit, onOver, grow } = limitOf();
    grow(6);
    const now = performance.now();
    // Paused for a minute, one second after the queue rose.
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 61_000);
    vi.advanceTimersByTime(TIME_MS);
    expect(onOver).not.toHaveBeenCalled();
    expect(limit.remainingMs).toBe(TIME_MS);
    clock.mockImplementation(() => now + 61_000 + TIME_MS);
    vi.advanceTimersByTime(TIME_MS);
    expect(onOver).toHaveBeenCalledTimes(1);
  });

  it('ends nothing once it was stopped', () => {
    const { limit, onOver, grow } = limitOf();
    grow(6);
    limit.stop();
    expect(grow(7)).toBe(false);
    vi.advanceTimersByTime(2 * TIME_MS);
    expect(onOver).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
