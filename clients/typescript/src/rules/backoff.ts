/** B1: maximum of the first pause. Unit: ms. */
const FIRST_MS = 50;
/** B1: maximum of every later pause. Unit: ms. */
const LARGEST_MS = 2000;
/** B3: maximum of every later pause of `waitForReady`. Unit: ms. */
export const LARGEST_READY_MS = 500;

/** B1: pauses between retries. The clients of a restarted sidecar do not all retry at the same time. */
export class Backoff {
  #bound = FIRST_MS;

  /**
   * @param largestMs - maximum of every later pause. Unit: ms
   * @param random - returns a number from 0 to 1
   */
  constructor(
    private readonly largestMs = LARGEST_MS,
    private readonly random: () => number = Math.random,
  ) {}

  /** The next pause. Unit: ms. */
  next(): number {
    const pause = this.random() * this.#bound;
    this.#bound = Math.min(this.#bound * 2, this.largestMs);
    return pause;
  }

  /** B2: restarts with the first pause. */
  reset(): void {
    this.#bound = FIRST_MS;
  }
}
