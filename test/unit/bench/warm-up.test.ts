import { describe, expect, it } from 'vitest';
import { isWarm, type Window } from '../../bench/roles/warm-up.js';

const windows = (...pairs: [p50: number, cpu: number][]): Window[] =>
  pairs.map(([p50, cpu]) => ({ p50, cpu }));

describe('a warm-up', () => {
  it('continues before three windows', () => {
    expect(isWarm(windows([100, 50], [100, 50]))).toBe(false);
  });

  it('continues while the median falls', () => {
    expect(isWarm(windows([300, 50], [200, 50], [150, 50]))).toBe(false);
  });

  it('continues while the processor time falls', () => {
    expect(isWarm(windows([100, 90], [100, 70], [100, 50]))).toBe(false);
  });

  it('ends when three windows in a row agree', () => {
    expect(isWarm(windows([300, 90], [102, 51], [100, 50], [98, 49]))).toBe(true);
  });

  it('ends after 40 windows that do not agree', () => {
    const noisy = Array.from({ length: 40 }, (_, index): [number, number] => [index % 2 ? 100 : 200, 50]);
    expect(isWarm(windows(...noisy.slice(0, 39)))).toBe(false);
    expect(isWarm(windows(...noisy))).toBe(true);
  });
});
