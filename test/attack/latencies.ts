import { percentile } from '../bench/percentiles.js';

/** Phases of a run: before, during and after the attack. */
export type Phase = 'rest' | 'attack' | 'after';

/** Latencies of one kind of operation, by phase. Unit: ms. */
export class Latencies {
  readonly #values: Record<Phase, number[]> = { rest: [], attack: [], after: [] };

  add(phase: Phase, ms: number): void {
    this.#values[phase].push(ms);
  }

  count(phase: Phase): number {
    return this.#values[phase].length;
  }

  /** NaN when the phase has no values. */
  p99(phase: Phase): number {
    return percentile(this.#values[phase], 0.99);
  }

  /** NaN when the phase has no values. */
  max(phase: Phase): number {
    return percentile(this.#values[phase], 1);
  }

  /** Such as `p50 0.4, p99 1.2, max 3.0 ms`. */
  summary(phase: Phase): string {
    const values = this.#values[phase];
    if (values.length === 0) return 'none';
    const [p50, p99, max] = [0.5, 0.99, 1].map((p) => percentile(values, p).toFixed(1));
    return `p50 ${p50}, p99 ${p99}, max ${max} ms`;
  }
}
