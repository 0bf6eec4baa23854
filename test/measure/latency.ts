import { build, type Histogram } from 'hdr-histogram-js';

/** Longest latency that the histogram can represent. Unit: µs. */
const LONGEST_US = 600_000_000;

/** Latencies of many messages, over the whole run and minute by minute. */
export class Latency {
  readonly #all = histogram();
  readonly #minutes: Histogram[] = [];
  readonly #startedAt = performance.now();

  /** @param ms milliseconds */
  record(ms: number): void {
    const us = Math.min(LONGEST_US, Math.max(1, Math.round(ms * 1000)));
    this.#all.recordValue(us);
    const minute = Math.floor((performance.now() - this.#startedAt) / 60_000);
    this.#minutes[minute] ??= histogram();
    this.#minutes[minute].recordValue(us);
  }

  get count(): number {
    return this.#all.totalCount;
  }

  /** The latency in milliseconds that the part `p` (0 to 1) of all messages did not exceed. */
  percentile(p: number): number {
    return this.#all.getValueAtPercentile(p * 100) / 1000;
  }

  /** The same value for the worst minute. */
  worstMinute(p: number): number {
    const most = Math.max(...this.#minutes.map((part) => part?.totalCount ?? 0));
    // An incomplete minute has too few messages for a percentile.
    const whole = this.#minutes.filter((part) => part !== undefined && part.totalCount * 4 >= most);
    return Math.max(...whole.map((part) => part.getValueAtPercentile(p * 100))) / 1000;
  }
}

function histogram(): Histogram {
  return build({ highestTrackableValue: LONGEST_US, numberOfSignificantValueDigits: 3 });
}
