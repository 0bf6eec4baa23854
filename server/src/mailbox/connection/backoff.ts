export interface BackoffOptions {
  /** The first pause. Unit: ms. */
  readonly initialMs: number;
  /** The longest pause. Unit: ms. */
  readonly maxMs: number;
  /** A random number from 0 to below 1. Default: Math.random. */
  readonly random?: () => number;
}

/**
 * Pauses that double up to a maximum. Each is shortened by up to half at random, so that the mailboxes of a lost
 * daemon do not reconnect at the same time.
 */
export class Backoff {
  #attempts = 0;

  constructor(readonly options: BackoffOptions) {}

  /** The next pause. Unit: ms. */
  next(): number {
    const { initialMs, maxMs, random = Math.random } = this.options;
    const full = Math.min(maxMs, initialMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts++;
    return Math.round(full * (0.5 + 0.5 * random()));
  }

  /** After a success, the next pause is the first one again. */
  reset(): void {
    this.#attempts = 0;
  }
}
