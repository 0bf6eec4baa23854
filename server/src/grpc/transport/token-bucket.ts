/** Tolerance below a millisecond, because sums of fractions are not exact. */
const EPSILON_MS = 1e-6;

/**
 * A rate limit per second. Unused capacity of one second can be used later, but never more than that of one second
 * together. All times are milliseconds of one monotonic clock.
 */
export class TokenBucket {
  /** The time at which the bucket is full again. One second after now: the bucket is empty. */
  #fullAt: number;
  readonly #eachMs: number;

  /** @param perSecond at least 1 */
  constructor(perSecond: number, now: number) {
    this.#eachMs = 1000 / perSecond;
    this.#fullAt = now;
  }

  /** Takes one if available. Returns 0, or the time in ms until one is available. */
  take(now: number): number {
    const fullAt = this.#after(1, now);
    const waitMs = overdrawn(fullAt, now);
    if (waitMs === 0) this.#fullAt = fullAt;
    return waitMs;
  }

  /**
   * Takes any number, also more than available. Returns 0, or the time in ms for which the bucket is overdrawn.
   */
  spend(count: number, now: number): number {
    this.#fullAt = this.#after(count, now);
    return overdrawn(this.#fullAt, now);
  }

  /** Whether the bucket is full. */
  isFull(now: number): boolean {
    return this.#fullAt <= now + EPSILON_MS;
  }

  #after(count: number, now: number): number {
    return Math.max(now, this.#fullAt) + count * this.#eachMs;
  }
}

function overdrawn(fullAt: number, now: number): number {
  return Math.max(0, Math.ceil(fullAt - now - 1000 - EPSILON_MS));
}
