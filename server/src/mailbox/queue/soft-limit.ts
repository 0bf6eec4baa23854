import { CheckedTimer } from '../../timing/pause-aware-timer.js';
import type { QueueMark } from './queue-bounds.js';

/**
 * A bound that a queue may be above for a time only: `timeMs` without a break. By the monotonic clock. That a queue rises
 * or falls sets no timer and stops none, whatever its pace: the one timer looks, when it fires, whether it has to continue. After
 * a pause of the process the time begins again: the receiver had no chance meanwhile.
 */
export class SoftLimit {
  readonly #timeMs: number;
  readonly #onOver: () => void;
  #aboveSince: number | undefined;
  readonly #timer = new CheckedTimer((late) => this.#look(late));
  #stopped = false;

  /**
   * @param mark the soft bound
   * @param timeMs milliseconds, above 0
   * @param onOver called once, when the queue was above the mark for all that time
   */
  constructor(
    readonly mark: QueueMark,
    timeMs: number,
    onOver: () => void,
  ) {
    this.#timeMs = timeMs;
    this.#onOver = onOver;
  }

  /** Milliseconds until the time is over; undefined while it does not run. */
  get remainingMs(): number | undefined {
    if (this.#aboveSince === undefined) return undefined;
    return Math.max(0, this.#aboveSince + this.#timeMs - performance.now());
  }

  /** The queue has grown; returns whether the time began to run with that. Runs for every message. */
  grown(): boolean {
    if (this.#aboveSince !== undefined || this.#stopped || !this.mark.isExceeded) return false;
    this.#aboveSince = performance.now();
    if (!this.#timer.isSet) this.#timer.set(this.#timeMs);
    return true;
  }

  /** The queue has shrunk, or may have. */
  shrunk(): void {
    if (this.#aboveSince !== undefined && !this.mark.isExceeded) this.#aboveSince = undefined;
  }

  /** The time never runs again. */
  stop(): void {
    this.#stopped = true;
    this.#aboveSince = undefined;
    this.#timer.clear();
  }

  #look(late: boolean): void {
    // The share of all mailboxes may have changed since the queue did.
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
