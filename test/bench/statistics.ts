/** Statistics of several rounds. */
export interface Summary {
  readonly median: number;
  /** Median of the distances from the median: a spread that a single bad round does not change. */
  readonly mad: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly rounds: number;
}

/** The value below which the part `q` (0 to 1) lies, interpolated between neighbours. NaN without values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function summarize(values: readonly number[]): Summary {
  const middle = median(values);
  return {
    median: middle,
    mad: median(values.map((value) => Math.abs(value - middle))),
    lowerQuartile: quantile(values, 0.25),
    upperQuartile: quantile(values, 0.75),
    rounds: values.length,
  };
}

/**
 * Ratios round by round: a slow phase of the machine affects both values of a round. Rounds without one of the
 * values are left out.
 */
export function pairedRatios(
  of: readonly (number | undefined)[],
  to: readonly (number | undefined)[],
): readonly number[] {
  return of.flatMap((value, round) => {
    const other = to[round];
    return value === undefined || other === undefined || other === 0 ? [] : [value / other];
  });
}
