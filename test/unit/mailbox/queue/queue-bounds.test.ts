import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../../../server/src/mailbox/queue/byte-budget.js';
import { QueueBounds } from '../../../../server/src/mailbox/queue/queue-bounds.js';

const LIMITS = { maxEvents: 10, maxBytes: 1000, replayBytes: 0, overflow: 'PAUSE' } as const;

function boundsOf(loadEvents: number, loadBytes: number, budget = new ByteBudget(1_000_000)) {
  return new QueueBounds({ loadEvents, loadBytes, loadMemory: loadBytes }, LIMITS, budget);
}

/** A budget of `total` bytes, of which `used` are used. */
function budgetOf(total: number, used: number): ByteBudget {
  const budget = new ByteBudget(total);
  budget.take(used);
  return budget;
}

describe('QueueBounds', () => {
  it.each([
    ['below all', 9, 999, false],
    ['at its events', 10, 1, true],
    ['at its bytes', 1, 1000, true],
  ])('%s', (_, events, bytes, reached) => {
    expect(boundsOf(events, bytes).isReached).toBe(reached);
  });

  it('are reached by a queue that is larger than the rest for all', () => {
    expect(boundsOf(1, 100, budgetOf(1000, 900)).isReached).toBe(false);
    expect(boundsOf(1, 101, budgetOf(1000, 900)).isReached).toBe(true);
  });

  it.each([
    ['none with room', 9, 900, 100, undefined],
    ['its events', 10, 0, 1, '10 events'],
    ['its bytes', 1, 901, 100, '1000 bytes'],
    ['none with the only event, whatever its size', 0, 0, 5000, undefined],
  ])('one more event exceeds %s', (_, events, queued, bytes, broken) => {
    expect(boundsOf(events, queued).brokenBy(bytes)).toBe(broken);
  });

  it('one more event exceeds the limit of all together', () => {
    const bounds = boundsOf(1, 60, budgetOf(1000, 900));
    expect(bounds.brokenBy(40)).toBeUndefined();
    expect(bounds.brokenBy(41)).toBe('1000 bytes of all mailboxes');
  });
});

describe('QueueMark', () => {
  it.each([
    ['at both', 8, 800, false],
    ['above its events', 9, 0, true],
    ['above its bytes', 1, 801, true],
  ])('at 0.8, %s', (_, events, bytes, exceeded) => {
    expect(boundsOf(events, bytes).markAt(0.8).isExceeded).toBe(exceeded);
  });

  it('is a part of the share that all leave for this queue', () => {
    // 100 of its own and 100 free: its limit is 100, and the threshold is at 80.
    const mark = boundsOf(1, 100, budgetOf(1000, 900)).markAt(0.8);
    expect(mark).toMatchObject({ isExceeded: true, events: 8, bytes: 80, inWords: '80 bytes' });
    expect(boundsOf(1, 80, budgetOf(1000, 880)).markAt(0.8).isExceeded).toBe(false);
  });

  it('at 1 is never exceeded by the limit itself', () => {
    expect(boundsOf(10, 1000).markAt(1).isExceeded).toBe(false);
    expect(boundsOf(11, 1).markAt(1).isExceeded).toBe(true);
  });
});
