/** A sender whose input waits in the slow lane. */
export interface SlowLaneUser {
  /**
   * Called when the lane may have room: processes input while `SlowLane.open` is true, and calls `wait` for the
   * rest.
   */
  proceed(): void;
}

/** Limits of each tick for all users together: about the rate of real Spread. */
const TICK_MS = 1;
const MESSAGES_PER_TICK = 30;
const BYTES_PER_TICK = 512 * 1024;

/**
 * Limits the input of clients that send faster than their receivers read. Real Spread's messages wait for their
 * turn in a ring of daemons, which gives receivers time to read. Without such a delay, a burst would disconnect
 * receivers that do read. Here senders are slowed down, together to 30,000 messages or 500 MB per second, while a
 * receiver's queue is long. No sender is stopped completely, because a client that waits for its own writes may
 * not be reading meanwhile.
 */
export class SlowLane {
  /** Receivers whose queues are long. */
  readonly pressedBy = new Set<object>();
  /** In the order of arrival. */
  readonly #waiting = new Set<SlowLaneUser>();
  #timer: NodeJS.Timeout | undefined;
  #tickEnds = 0;
  #messages = 0;
  #bytes = 0;

  /** Whether more input may pass now. */
  get open(): boolean {
    const now = performance.now();
    if (now >= this.#tickEnds) {
      this.#tickEnds = now + TICK_MS;
      this.#messages = MESSAGES_PER_TICK;
      this.#bytes = BYTES_PER_TICK;
    }
    return this.#messages > 0 && this.#bytes > 0;
  }

  /** Counts input that has passed. */
  spend(messages: number, bytes: number): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
  }

  /** Calls `user` when it is its turn. */
  wait(user: SlowLaneUser): void {
    this.#waiting.add(user);
    this.#timer ??= setTimeout(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    this.#timer = undefined;
    const users = [...this.#waiting];
    this.#waiting.clear();
    // Users that find the lane full wait again, before those that just had their turn.
    const later: SlowLaneUser[] = [];
    for (const user of users) {
      if (this.open) user.proceed();
      else later.push(user);
    }
    const again = [...this.#waiting];
    this.#waiting.clear();
    for (const user of [...later, ...again]) this.wait(user);
  }
}
