/** Unit: ms. */
const MAX_PAUSE_MS = 2 ** 31 - 1;

/**
 * Keeps a mailbox whose application neither receives nor calls: the sidecar ends one that nobody has used for
 * its lease. It asks in thirds of the lease, and only when nothing else did.
 */
export class KeepAlive {
  readonly #timer: NodeJS.Timeout;
  #lastUse = performance.now();

  /**
   * @param leaseMs - the mailbox's lease. Unit: ms
   * @param held - whether something else keeps the lease right now
   * @param ping - any call that uses the mailbox; its failure is no news, the next real call tells it
   */
  constructor(leaseMs: number, held: () => boolean, ping: () => Promise<unknown>) {
    // The lease is the sidecar's word: a timer of more than Node can count would run all the time.
    const pause = Math.min(Math.max(leaseMs / 3, 50), MAX_PAUSE_MS);
    this.#timer = setInterval(() => {
      if (held() || performance.now() - this.#lastUse < pause) return;
      this.used();
      ping().catch(() => {});
    }, pause / 2).unref();
  }

  /** The mailbox was just used by a call. */
  used(): void {
    this.#lastUse = performance.now();
  }

  /** Stops. */
  close(): void {
    clearInterval(this.#timer);
  }
}
