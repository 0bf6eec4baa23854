import { CheckedTimer } from '../../timing/pause-aware-timer.js';

/**
 * Limits how long an object lives without being used. It is in use while it has a holder. Otherwise it lives for
 * `leaseMs` from the last touch, by the monotonic clock, so that a corrected wall clock ends nothing. A touch
 * needs no timer: when the only timer fires, it checks whether it must continue. After a pause of the process the
 * lease restarts, because calls that arrived meanwhile are not read yet.
 */
export class Lease {
  #usedAt = performance.now();
  /** The time of the end, unless it is touched before. */
  #endsBy = Number.POSITIVE_INFINITY;
  #shortMs = 0;
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

  /** Milliseconds until the end without further use. Undefined while it is held or after it has stopped. */
  get remainingMs(): number | undefined {
    if (this.#holds > 0 || this.#stopped) return undefined;
    return Math.max(0, Math.min(this.#usedAt + this.leaseMs, this.#endsBy) - performance.now());
  }

  /** Whether it ends, or has ended, before its time: see {@link endWithin}. */
  get isShortened(): boolean {
    return this.#endsBy < Number.POSITIVE_INFINITY;
  }

  touch(): void {
    this.#usedAt = performance.now();
    this.#endsBy = Number.POSITIVE_INFINITY;
  }

  /** Ends it after this number of milliseconds, unless it is used or held. */
  endWithin(ms: number): void {
    this.#shortMs = ms;
    this.#endsBy = performance.now() + ms;
    this.#rearm();
  }

  /** Keeps it alive until the returned function is called. A second call of that function has no effect. */
  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.#usedAt = performance.now();
      if (this.#holds === 0 && (!this.#timer.isSet || this.isShortened)) this.#rearm();
    };
  }

  /** From now on, it never expires. */
  stop(): void {
    this.#stopped = true;
    this.#timer.clear();
  }

  #rearm(): void {
    const remaining = this.remainingMs;
    if (remaining !== undefined) this.#timer.set(Math.ceil(remaining));
  }

  #look(late: boolean): void {
    if (late) this.#usedAt = performance.now();
    if (late && this.isShortened) this.#endsBy = performance.now() + this.#shortMs;
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
