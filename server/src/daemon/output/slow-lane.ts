/** Someone whose input waits in the slow lane. */
export interface SlowLaneUser {
  /** The lane may be open again: processes what `SlowLane.open` allows, and comes back with `wait` for the rest. */
  proceed(): void;
}

/** What goes through the lane in each tick, together for all its users: about what real Spread manages. */
const TICK_MS = 1;
const MESSAGES_PER_TICK = 30;
const BYTES_PER_TICK = 512 * 1024;

/**
 * Bounds the input of clients that send faster than their receivers read. Real Spread's messages take their turn in a
 * ring of daemons, which gives receivers time to read; without it a burst would cut receivers that do read. Here
 * senders are slowed down, together to 30,000 messages or 500 MB a second, as long as a receiver's queue is long. None
 * is ever stopped: a client that waits for its own writing may not be reading meanwhile.
 */
export class SlowLane {
  /** Receivers whose queues are long. */
  readonly pressedBy = new Set<object>();
  /** In the order of their coming. */
  readonly #waiting = new Set<SlowLaneUser>();
  #timer: NodeJS.Timeout | undefined;
  #tickEnds = 0;
  #messages = 0;
  #bytes = 0;

  /** Whether something more may go through now. */
  get open(): boolean {
    const now = performance.now();
    if (now >= this.#tickEnds) {
      this.#tickEnds = now + TICK_MS;
      this.#messages = MESSAGES_PER_TICK;
      this.#bytes = BYTES_PER_TICK;
    }
    return this.#messages > 0 && this.#bytes > 0;
  }

  /** Something went through. */
  spend(messages: number, bytes: number): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
  }

  /** Lets `user` proceed when it is its turn. */
  wait(user: SlowLaneUser): void {
    this.#waiting.add(user);
    this.#timer ??= setTimeout(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    this.#timer = undefined;
    const users = [...this.#waiting];
    this.#waiting.clear();
    // Those who find the lane full wait again, in front of those who just had their turn.
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
