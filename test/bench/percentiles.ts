import { build, type Histogram } from 'hdr-histogram-js';

const HIGHEST_US = 3_600_000_000;

/** A histogram of times in microseconds, with three significant digits. */
export class TimeHistogram {
  readonly #histogram: Histogram = build({
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3,
  });

  record(microseconds: number): void {
    this.#histogram.recordValue(Math.min(HIGHEST_US, Math.max(1, Math.round(microseconds))));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** The time in microseconds that the part `p` (0 to 1) of all values did not exceed. */
  percentile(p: number): number {
    return this.#histogram.getValueAtPercentile(p * 100);
  }
}

/** Median and high percentiles of times in microseconds. */
export function percentilesOf(samples: readonly number[]): Record<'p50' | 'p99' | 'p99.9', number> {
  const histogram = new TimeHistogram();
  for (const sample of samples) histogram.record(sample);
  return {
    p50: histogram.percentile(0.5),
    p99: histogram.percentile(0.99),
    'p99.9': histogram.percentile(0.999),
  };
}

/** The value below which the part `p` (0 to 1) of `values` lies, without interpolation. NaN without values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}
