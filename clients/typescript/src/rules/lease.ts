/** K1: minimum time without use. Unit: ms. */
const SHORTEST_MS = 50;

/** K1: decides when the client must keep the lease. */
export class Lease {
  /** K2: interval of the checks. Unit: ms. */
  readonly checkEveryMs: number;
  readonly #renewAfterMs: number;
  #lastUse: number;

  /**
   * @param leaseMs - the mailbox's lease. Unit: ms
   * @param now - the time of the monotonic clock, as for all methods. Unit: ms
   */
  constructor(leaseMs: number, now: number) {
    this.#renewAfterMs = Math.max(leaseMs / 3, SHORTEST_MS);
    this.checkEveryMs = this.#renewAfterMs / 2;
    this.#lastUse = now;
  }

  /** Records that a call uses the mailbox. */
  used(now: number): void {
    this.#lastUse = now;
  }

  /**
   * K1: a check. Returns whether the client makes a call now, and records the call.
   *
   * @param attached - whether a stream is attached. The stream keeps the lease
   */
  renews(now: number, attached: boolean): boolean {
    if (attached || now - this.#lastUse < this.#renewAfterMs) return false;
    this.#lastUse = now;
    return true;
  }
}
