/**
 * Pauses between tries: the first within 0..50 ms, the bound doubling up to 2 s. Each is drawn evenly from
 * zero to the bound, so that many clients of a sidecar that comes back don't come at once.
 */
export class Backoff {
  #bound: number;

  /**
   * @param firstMs - bound of the first pause. Unit: ms
   * @param mostMs - bound that is not exceeded. Unit: ms
   * @param random - 0 to 1
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

  /** Begins again with the first pause. */
  reset(): void {
    this.#bound = this.firstMs;
  }
}
