/**
 * A timer that fires later than this shows that the process itself did not run: SIGSTOP, a paused virtual machine, a long
 * garbage collection. Unit: ms.
 */
export const LATE_MS = 500;

/**
 * One timer that can be set again and reports whether it fired late. Uses the monotonic clock. Does not keep the
 * process alive.
 */
export class CheckedTimer {
  #timer: NodeJS.Timeout | undefined;
  #dueAt = 0;

  /** @param onFired - `late`: the process did not run when the timer was due, so nothing that peers sent was read either */
  constructor(private readonly onFired: (late: boolean) => void) {}

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** Sets the timer, also when it is set already. Unit: ms. */
  set(ms: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = performance.now() + ms;
    this.#arm(ms);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => {
      const lateMs = performance.now() - this.#dueAt;
      // Node counts from the start of the turn. After a pause in that turn, it fires too early.
      if (lateMs < -1) {
        this.#arm(-lateMs);
        return;
      }
      this.#timer = undefined;
      this.onFired(lateMs > LATE_MS);
    }, ms).unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Acts after a time in which a peer should have acted. While this process was paused, the peer could not act, and
 * its data is not read yet when timers fire after a pause. So a timer that fires late waits for the whole time
 * again before it acts.
 */
export class PauseAwareTimer {
  readonly #timer: CheckedTimer;

  /**
   * Starts immediately.
   *
   * @param ms - milliseconds
   */
  constructor(ms: number, action: () => void) {
    this.#timer = new CheckedTimer((late) => {
      if (late) this.#timer.set(ms);
      else action();
    });
    this.#timer.set(ms);
  }

  /** Cancels the action. Further calls have no effect. */
  cancel(): void {
    this.#timer.clear();
  }
}
