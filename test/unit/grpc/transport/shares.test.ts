import { describe, expect, it } from 'vitest';
import { hasItsShare } from '../../../../server/src/grpc/transport/shares.js';

/**
 * Starts calls for each of `connections` in turn until no connection may start another.
 *
 * @returns number of calls of each
 */
function greedy(connections: number, max: number): number[] {
  const calls = Array.from({ length: connections }, () => 0);
  let total = 0;
  for (let isDone = false; !isDone; ) {
    isDone = true;
    for (let i = 0; i < connections; i++) {
      if (total >= max || hasItsShare(calls[i]!, total, max)) continue;
      calls[i]!++;
      total++;
      isDone = false;
    }
  }
  return calls;
}

describe('the share of a connection', () => {
  it('is everything for the only connection', () => {
    expect(greedy(1, 500)).toEqual([500]);
  });

  it.each([2, 10, 50, 200])(
    'of %i connections that want everything leaves room for a new one',
    (connections) => {
      const max = 500;
      const total = greedy(connections, max).reduce((sum, calls) => sum + calls, 0);
      expect(total).toBeLessThan(max);
      expect(total).toBeGreaterThanOrEqual(0.8 * max);
      expect(hasItsShare(0, total, max)).toBe(false);
    },
  );

  it('is equal', () => {
    const calls = greedy(50, 500);
    expect(Math.max(...calls) - Math.min(...calls)).toBeLessThanOrEqual(1);
  });
});
