import { CheckedTimer } from '../../timing/pause-aware-timer.js';
import type { QueueMark } from './queue-bounds.js';

/**
 * A limit that a queue may exceed only for `timeMs` without a break, by the monotonic clock. Changes of the queue
 * set and stop no timers: when the only timer fires, it checks whether it must continue. After a pause of the
 * process the time restarts, because the receiver could not read meanwhile.
 */
export class SoftLimit {
  readonly #timeMs: number;
  readonly #onOver: () => void;
  #aboveSince: number | undefined;
  readonly #timer = new CheckedTimer((late) => this.#look(late));
  #stopped = false;

  /**
   * @param mark the soft limit
   * @param timeMs milliseconds, above 0
   * @param onOver called once, when the queue exceeded the limit for the whole time
   */
  constructor(
    readonly mark: QueueMark,
    timeMs: number,
    onOver: () => void,
  ) {
    this.#timeMs = timeMs;
    this.#onOver = onOver;
  }

  /** Milliseconds until the time ends. Undefined while it does not run. */
  get remainingMs(): number | undefined {
    if (this.#aboveSince === undefined) return undefined;
    return Math.max(0, this.#aboveSince + this.#timeMs - performance.now());
  }

  /** The queue has grown. Returns whether the time starts to run. Runs for every message. */
  grown(): boolean {
    if (this.#aboveSince !== undefined || this.#stopped || !this.mark.isExceeded) return false;
    this.#aboveSince = performance.now();
    if (!this.#timer.isSet) this.#timer.set(this.#timeMs);
    return true;
  }

  /** The queue may have shrunk. */
  shrunk(): void {
    if (this.#aboveSince !== undefined && !this.mark.isExceeded) this.#aboveSince = undefined;
  }

  /** Stops the time for good. */
  stop(): void {
    this.#stopped = true;
    this.#aboveSince = undefined;
    this.#timer.clear();
  }

  #look(late: boolean): void {
    // The share of all mailboxes may have changed since the queue changed.
    this.shrunk();
    if (this.#aboveSince === undefined) return;
    if (late) this.#aboveSince = performance.now();
    const remaining = this.remainingMs ?? 0;
    if (remaining > 0) {
      this.#timer.set(Math.ceil(remaining));
      return;
    }
    this.stop();
    this.#onOver();
  }
}
