import { describe, expect, it } from 'vitest';
import { Rates } from '../../../server/src/status/rates.js';

describe('rates', () => {
  it('are averages since the mailbox was opened, at the first request', () => {
    const rates = new Rates(() => 10_000);
    rates.begin();
    expect(rates.of('m1', 20, 10, 2000)).toEqual({ receivedPerSecond: 10, sentPerSecond: 5, periodMs: 2000 });
  });

  it('are finite for a mailbox that was just opened', () => {
    const rates = new Rates(() => 0);
    rates.begin();
    expect(rates.of('m1', 0, 0, 0)).toEqual({ receivedPerSecond: 0, sentPerSecond: 0, periodMs: 1 });
  });

  it('compare with a request that is 5 to 10 s old, if requests come often', () => {
    let nowMs = 0;
    const rates = new Rates(() => nowMs);
    let received = 0;
    for (; nowMs <= 60_000; nowMs += 500) {
      rates.begin();
      received += 50;
      const rate = rates.of('m1', received, 0, nowMs + 500);
      expect(rate.receivedPerSecond).toBeCloseTo(100);
      if (nowMs > 10_000) expect(rate.periodMs).toBeGreaterThanOrEqual(5000);
      expect(rate.periodMs).toBeLessThanOrEqual(10_000);
    }
  });

  it('show a mailbox that became idle as idle', () => {
    let nowMs = 0;
    const rates = new Rates(() => nowMs);
    for (; nowMs <= 20_000; nowMs += 5000) {
      rates.begin();
      rates.of('m1', 1000, 1000, 60_000);
    }
    expect(rates.of('m1', 1000, 1000, 60_000)).toMatchObject({ receivedPerSecond: 0, sentPerSecond: 0 });
  });
});
