/** Below what is worth a millisecond: sums of fractions are not exact. */
const EPSILON_MS = 1e-6;

/**
 * So many of something in a second. What is not used of one second may be used later, but never more than one second's worth
 * at once. All times are milliseconds of one monotonic clock.
 */
export class TokenBucket {
  /** When it will be as if nothing had been taken. One second later than now: there is none left. */
  #fullAt: number;
  readonly #eachMs: number;

  /** @param perSecond at least 1 */
  constructor(perSecond: number, now: number) {
    this.#eachMs = 1000 / perSecond;
    this.#fullAt = now;
  }

  /** Takes one, if there is one: 0, or after how many milliseconds there will be. */
  take(now: number): number {
    const fullAt = this.#after(1, now);
    const waitMs = overdrawn(fullAt, now);
    if (waitMs === 0) this.#fullAt = fullAt;
    return waitMs;
  }

  /** Takes so many also where there are not as many: 0, or for how many milliseconds it is overdrawn. */
  spend(count: number, now: number): number {
    this.#fullAt = this.#after(count, now);
    return overdrawn(this.#fullAt, now);
  }

  /** Whether it is as if nothing had ever been taken. */
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
