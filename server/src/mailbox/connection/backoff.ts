export interface BackoffOptions {
  /** The first pause, milliseconds. */
  readonly initialMs: number;
  /** The longest pause, milliseconds. */
  readonly maxMs: number;
  /** 0 to below 1; Math.random by default. */
  readonly random?: () => number;
}

/** Pauses that double up to a bound, each cut by up to half at random so that many who lost the same daemon do not come back in step. */
export class Backoff {
  #attempts = 0;

  constructor(readonly options: BackoffOptions) {}

  /** The next pause in milliseconds. */
  next(): number {
    const { initialMs, maxMs, random = Math.random } = this.options;
    const full = Math.min(maxMs, initialMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts++;
    return Math.round(full * (0.5 + 0.5 * random()));
  }

  /** After a success: the next pause is the first again. */
  reset(): void {
    this.#attempts = 0;
  }
}
