import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../../server/src/mailbox/connection/backoff.js';

describe('Backoff', () => {
  it('doubles up to its maximum and restarts after a success', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1000, random: () => 0.999999 });
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('shortens a pause by up to half at random', () => {
    const least = new Backoff({ initialMs: 100, maxMs: 1000, random: () => 0 });
    expect([least.next(), least.next()]).toEqual([50, 100]);
    const usual = new Backoff({ initialMs: 1000, maxMs: 1000 });
    const pauses = new Set(Array.from({ length: 50 }, () => usual.next()));
    expect(pauses.size).toBeGreaterThan(10);
    for (const pause of pauses) {
      expect(pause).toBeGreaterThanOrEqual(500);
      expect(pause).toBeLessThanOrEqual(1000);
    }
  });

  it('stays at its maximum after very many attempts', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1000, random: () => 0 });
    for (let i = 0; i < 5000; i++) backoff.next();
    expect(backoff.next()).toBe(500);
  });
});
