/**
 * Backoff with full jitter: the first pause is at most 50 ms, and the maximum doubles up to 2 s. Each pause
 * is a uniform random number from 0 to the maximum, so that the clients of a restarted sidecar do not all
 * retry at the same time.
 */
export class Backoff {
  #bound: number;

  /**
   * @param firstMs - maximum of the first pause. Unit: ms
   * @param mostMs - maximum of every later pause. Unit: ms
   * @param random - returns a number from 0 to 1
   */
  constructor(
    private readonly firstMs = 50,
    private readonly mostMs = 2000,
    private readonly random: () => number = Math.random,
  ) {
    this.#bound = firstMs;
  }

  /** The next pause. Unit: ms. */
  next(): number {
    const pause = this.random() * this.#bound;
    this.#bound = Math.min(this.#bound * 2, this.mostMs);
    return pause;
  }

  /** Restarts with the first pause. */
  reset(): void {
    this.#bound = this.firstMs;
  }
}
