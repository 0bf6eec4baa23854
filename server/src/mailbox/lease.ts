import { CheckedTimer } from '../timing/pause-aware-timer.js';

/**
 * How long something lives without being used. It is in use while somebody holds it; otherwise it lives for
 * `leaseMs` from the last touch. By the monotonic clock, so that a corrected wall clock ends nothing. A touch
 * costs no timer: the one timer looks, when it fires, whether it has to go on. After a pause of the process the lease begins
 * again: calls that came meanwhile are not read yet.
 */
export class Lease {
  #usedAt = performance.now();
  #holds = 0;
  readonly #timer = new CheckedTimer((late) => this.#look(late));
  #stopped = false;

  /**
   * @param leaseMs milliseconds, above 0
   * @param onExpired called once
   */
  constructor(
    readonly leaseMs: number,
    readonly onExpired: () => void,
  ) {
    this.#timer.set(leaseMs);
  }

  /** Milliseconds until it ends if nothing happens; undefined while it is held or when it has stopped. */
  get remainingMs(): number | undefined {
    if (this.#holds > 0 || this.#stopped) return undefined;
    return Math.max(0, this.#usedAt + this.leaseMs - performance.now());
  }

  touch(): void {
    this.#usedAt = performance.now();
  }

  /** Keeps it alive until the returned function is called; calling that more than once is harmless. */
  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.touch();
      if (this.#holds === 0 && !this.#timer.isSet && !this.#stopped) this.#timer.set(this.leaseMs);
    };
  }

  /** It never expires from now on. */
  stop(): void {
    this.#stopped = true;
    this.#timer.clear();
  }

  #look(late: boolean): void {
    if (late) this.touch();
    const remaining = this.remainingMs;
    if (remaining === undefined) return;
    if (remaining > 0) {
      this.#timer.set(Math.ceil(remaining));
      return;
    }
    this.#stopped = true;
    this.onExpired();
  }
}
