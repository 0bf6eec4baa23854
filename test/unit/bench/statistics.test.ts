import { describe, expect, it } from 'vitest';
import { percentile, percentilesOf } from '../../bench/percentiles.js';
import { median, pairedRatios, quantile, summarize } from '../../bench/statistics.js';

describe('statistics of rounds', () => {
  it.each([
    [[3], 3],
    [[1, 9], 5],
    [[9, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('the median of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('quantiles are interpolated between neighbors', () => {
    expect(quantile([10, 20, 30, 40, 50], 0.25)).toBe(20);
    expect(quantile([10, 20], 0.25)).toBe(12.5);
    expect(quantile([10, 20], 0)).toBe(10);
    expect(quantile([10, 20], 1)).toBe(20);
  });

  it('no values have no median', () => {
    expect(median([])).toBeNaN();
  });

  it('does not change its input', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('one bad round changes neither the median nor its spread', () => {
    const good = summarize([100, 101, 99, 100, 102]);
    const bad = summarize([100, 101, 99, 100, 10_000]);
    expect(good).toEqual({ median: 100, mad: 1, lowerQuartile: 100, upperQuartile: 101, rounds: 5 });
    expect(bad.median).toBe(100);
    expect(bad.mad).toBe(1);
  });

  it('ratios are of the same round', () => {
    // The machine was half as fast in the second round.
    expect(pairedRatios([200, 100], [100, 50])).toEqual([2, 2]);
  });

  it('a round in which one of both failed has no ratio', () => {
    expect(pairedRatios([200, undefined, 300], [100, 100])).toEqual([2]);
    expect(pairedRatios([1], [0])).toEqual([]);
  });
});

describe('percentiles of round trips', () => {
  it('has the median and the tails, to three digits', () => {
    const samples = Array.from({ length: 1000 }, (_, index) => index + 1);
    const { p50, p99, 'p99.9': tail } = percentilesOf(samples);
    expect(p50).toBe(500);
    expect(p99).toBe(990);
    expect(tail).toBe(999);
  });

  it('accepts less than a microsecond and more than an hour', () => {
    expect(percentilesOf([0.2]).p50).toBe(1);
    expect(percentilesOf([1e12]).p50).toBeGreaterThan(3.5e9);
  });

  it('of a list are values of the list', () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(3);
    expect(percentile([4, 1, 3, 2], 1)).toBe(4);
    expect(percentile([], 0.5)).toBeNaN();
  });
});
