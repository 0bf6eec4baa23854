/** Maximum delay of a timer in Node. Unit: ms. */
const MAX_PAUSE_MS = 2 ** 31 - 1;

/**
 * Renews the lease of a mailbox whose application neither receives nor calls. The sidecar ends a mailbox that
 * is unused for its lease. Calls after each third of the lease without other use.
 */
export class KeepAlive {
  readonly #timer: NodeJS.Timeout;
  #lastUse = performance.now();

  /**
   * @param leaseMs - the mailbox's lease. Unit: ms
   * @param held - whether a stream keeps the lease now
   * @param ping - a call that uses the mailbox. Its failure is ignored: the next call of the application
   * reports it
   */
  constructor(leaseMs: number, held: () => boolean, ping: () => Promise<unknown>) {
    // The sidecar chooses the lease. Node fires a timer with a larger delay immediately.
    const pause = Math.min(Math.max(leaseMs / 3, 50), MAX_PAUSE_MS);
    this.#timer = setInterval(() => {
      if (held() || performance.now() - this.#lastUse < pause) return;
      this.used();
      ping().catch(() => {});
    }, pause / 2).unref();
  }

  /** Records that a call used the mailbox. */
  used(): void {
    this.#lastUse = performance.now();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
