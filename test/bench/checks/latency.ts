import { TimeHistogram } from '../percentiles.js';

/** Latencies of many messages, over the whole run and minute by minute. */
export class Latency {
  readonly #all = new TimeHistogram();
  readonly #minutes: TimeHistogram[] = [];
  readonly #startedAt = performance.now();

  /** @param ms milliseconds */
  record(ms: number): void {
    this.#all.record(ms * 1000);
    const minute = Math.floor((performance.now() - this.#startedAt) / 60_000);
    this.#minutes[minute] ??= new TimeHistogram();
    this.#minutes[minute].record(ms * 1000);
  }

  get count(): number {
    return this.#all.count;
  }

  /** The latency in milliseconds that the part `p` (0 to 1) of all messages did not exceed. */
  percentile(p: number): number {
    return this.#all.percentile(p) / 1000;
  }

  /** The same value for the worst minute. */
  worstMinute(p: number): number {
    const most = Math.max(...this.#minutes.map((part) => part?.count ?? 0));
    // An incomplete minute has too few messages for a percentile.
    const whole = this.#minutes.filter((part) => part !== undefined && part.count * 4 >= most);
    return Math.max(...whole.map((part) => part.percentile(p))) / 1000;
  }
}
