import { MAX_DELAY_MS } from './duration.js';
import { Lease } from './rules/lease.js';

/** Keeps the lease of a mailbox whose application neither receives nor calls. */
export class KeepAlive {
  readonly #lease: Lease;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param leaseMs - the mailbox's lease. Unit: ms
   * @param isAttached - whether a stream keeps the lease now
   * @param ping - a call that uses the mailbox
   */
  constructor(leaseMs: number, isAttached: () => boolean, ping: () => Promise<unknown>) {
    this.#lease = new Lease(leaseMs, performance.now());
    // The sidecar chooses the lease, which can be longer than any timer.
    const everyMs = Math.min(this.#lease.checkEveryMs, MAX_DELAY_MS);
    this.#timer = setInterval(() => {
      // K3: the next call of the application reports the failure.
      if (this.#lease.renews(performance.now(), isAttached())) ping().catch(() => {});
    }, everyMs).unref();
  }

  /** Records that a call used the mailbox. */
  used(): void {
    this.#lease.used(performance.now());
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
