import { randomBytes } from 'node:crypto';
import type { Mailbox, SpreadError } from 'spread-sidecar-client';
import type { FloodPlan } from './flood-plan.js';
import { FloodTally } from './flood-tally.js';
import { readStamp, stamped } from './stamp.js';

/** Senders and receivers of a flood, each with its own mailbox. */
export class Flooder {
  readonly tally: FloodTally;
  readonly #plan: FloodPlan;
  readonly #run = randomBytes(8).readBigUInt64LE();
  #onProgress: (() => void)[] = [];
  #lastProgressAt = 0;
  /** The first message that was rejected. */
  refusal: SpreadError | undefined;

  constructor(plan: FloodPlan) {
    this.#plan = plan;
    this.tally = new FloodTally(plan);
  }

  /**
   * Sends and receives until everything is done.
   *
   * @param open - opens a mailbox
   * @param signal - stops sending; messages in flight are still received
   */
  async run(open: () => Promise<Mailbox>, signal: AbortSignal): Promise<void> {
    const plan = this.#plan;
    const opened = (count: number) => Promise.all(Array.from({ length: count }, open));
    const receivers = await opened(plan.receivers);
    const senders = await opened(plan.senders);
    await Promise.all(receivers.map((mailbox) => mailbox.join(plan.group, { awaitView: true, signal })));
    const enough = new AbortController();
    const receiving = receivers.map((mailbox, number) => this.#receive(mailbox, number, enough.signal));
    // Senders must not wait for a receiver that has failed.
    const failed = Promise.all(receiving).then(() => new Promise<never>(() => {}));
    try {
      await Promise.race([
        failed,
        Promise.all(senders.map((mailbox, number) => this.#send(mailbox, number, signal))),
      ]);
      await Promise.race([failed, this.#untilAllReceived()]);
    } finally {
      enough.abort();
      this.#wake();
      await Promise.allSettled(receiving);
    }
  }

  async #send(mailbox: Mailbox, number: number, signal: AbortSignal): Promise<void> {
    const { count = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY, rate } = this.#plan;
    const sender = mailbox.sender({
      onRefused: ({ error }) => {
        this.refusal ??= error;
        this.tally.refused += 1;
        this.#wake();
      },
    });
    const start = performance.now();
    for (let index = 0; index < count && !signal.aborted; index += 1) {
      // With a rate, the latency starts when a message was due, so that it includes the delay of a blocked sender.
      const due = rate === undefined ? undefined : start + (index * 1000) / rate;
      if (due !== undefined) await this.#until(due, signal);
      while (this.tally.behind >= this.#plan.window && !signal.aborted) await this.#progress();
      const now = performance.now();
      if (now - start >= durationMs || signal.aborted) break;
      this.tally.onSent(now);
      const stamp = { sender: number, index, sentAt: due ?? now };
      await sender.send(this.#plan.service, this.#plan.group, stamped(this.#run, stamp, this.#plan.size));
    }
    await sender.close();
  }

  async #receive(mailbox: Mailbox, number: number, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        const events = await mailbox.receiveMany({ signal });
        const now = performance.now();
        for (const event of events) {
          const stamp = event.kind === 'regular' ? readStamp(this.#run, event.payload) : undefined;
          if (!stamp) continue;
          this.#lastProgressAt = now;
          this.tally.onReceived(number, stamp, now);
        }
        if (this.#onProgress.length > 0 && this.tally.behind < this.#plan.window) this.#wake();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Resolves when all messages have arrived, or when none has arrived for too long. */
  async #untilAllReceived(): Promise<void> {
    this.#lastProgressAt = performance.now();
    const late = () => performance.now() - this.#lastProgressAt > this.#plan.patienceMs;
    while (this.tally.received < this.tally.expected && !late())
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => this.#onProgress.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#onProgress.splice(0)) resolve();
  }

  async #until(due: number, signal: AbortSignal): Promise<void> {
    for (let wait = due - performance.now(); wait > 0 && !signal.aborted; wait = due - performance.now())
      await new Promise<void>((resolve) =>
        wait > 2 ? setTimeout(resolve, wait - 1) : setImmediate(resolve),
      );
  }
}
