import { build } from 'hdr-histogram-js';

const HIGHEST_US = 3_600_000_000;

/** Median and high percentiles of times in microseconds, from a histogram with three significant digits. */
export function percentilesOf(samples: readonly number[]): Record<'p50' | 'p99' | 'p99.9', number> {
  const histogram = build({ highestTrackableValue: HIGHEST_US, numberOfSignificantValueDigits: 3 });
  for (const sample of samples) histogram.recordValue(Math.min(HIGHEST_US, Math.max(1, Math.round(sample))));
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile);
  return { p50: at(50), p99: at(99), 'p99.9': at(99.9) };
}
