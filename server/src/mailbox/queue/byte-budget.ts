/**
 * The limit of the bytes in the event queues of all mailboxes, including those in the transports of their
 * receivers.
 *  A queue may grow only while it is smaller than the free part. One stalled receiver can therefore use half of
 * the budget and n of them n/(n+1), and there is always room for the mailboxes whose receivers keep up. The same
 * rule shrinks the replay windows of AUTO when memory gets scarce.
 */
export class ByteBudget {
  #used = 0;
  readonly #waiting = new Set<() => void>();
  #waking = false;

  /** @param totalBytes bytes, above 0 */
  constructor(readonly totalBytes: number) {}

  get used(): number {
    return this.#used;
  }

  /** The free bytes, and so the largest size of a single queue. Never below 0. */
  get free(): number {
    return Math.max(0, this.totalBytes - this.#used);
  }

  take(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    if (bytes === 0) return;
    this.#used -= bytes;
    if (this.#waiting.size > 0) this.#wake();
  }

  /** Calls `retry` once, in a later turn, after bytes were released. The same function waits only once. */
  whenFreed(retry: () => void): void {
    this.#waiting.add(retry);
  }

  forget(retry: () => void): void {
    this.#waiting.delete(retry);
  }

  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      const retries = [...this.#waiting];
      this.#waiting.clear();
      for (const retry of retries) retry();
    });
  }
}
