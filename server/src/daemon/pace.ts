/** Someone whose input can be held back. */
export interface HeldSender {
  /** Nothing of its input is processed until `letGo` was called as often as this. */
  hold(): void;
  letGo(): void;
}

/** Most time for which a receiver can hold its senders back without taking anything, in ms. */
const MAX_CREDIT_MS = 50;
/** What a receiver earns back for each message and byte that it takes: it has to take 10,000 messages or 100 MB a second. */
const CREDIT_MS_PER_MESSAGE = 1 / 10;
const CREDIT_MS_PER_BYTE = 1 / 100_000;

/**
 * Evens out bursts: while the queue of a receiver that does read is getting long, those who send to it are not read. A
 * receiver that does not keep up can hold nobody for longer than its credit, and is cut when its queue is full.
 */
export class Pace {
  #creditMs = MAX_CREDIT_MS;
  #heldSince = 0;
  #held = new Set<HeldSender>();
  #deadline: NodeJS.Timeout | undefined;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Holds `sender` back until the receiver has caught up or its credit is used up. */
  hold(sender: HeldSender): void {
    if (this.#held.has(sender)) return;
    if (this.#held.size === 0) {
      if (this.#creditMs < 1) return;
      this.#heldSince = this.now();
      // A busy process runs its timers late; the receiver then still gets one turn of the event loop to be read.
      this.#deadline = setTimeout(() => setImmediate(() => this.release()), this.#creditMs);
    }
    this.#held.add(sender);
    sender.hold();
  }

  /** The receiver has taken something. */
  earn(messages: number, bytes: number): void {
    const earned = messages * CREDIT_MS_PER_MESSAGE + bytes * CREDIT_MS_PER_BYTE;
    this.#creditMs = Math.min(MAX_CREDIT_MS, this.#creditMs + earned);
  }

  /** Lets all senders go on: the receiver has caught up, its credit is used up, or it is gone. */
  release(): void {
    if (this.#held.size === 0) return;
    clearTimeout(this.#deadline);
    this.#creditMs = Math.max(0, this.#creditMs - (this.now() - this.#heldSince));
    const held = this.#held;
    this.#held = new Set();
    for (const sender of held) sender.letGo();
  }
}
