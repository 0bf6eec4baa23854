/**
 * Longest time that Connect waits for the slot of a leaving mailbox. With a client that reads, a mailbox leaves
 * within milliseconds.
 */
const LONGEST_WAIT_MS = 1000;

/** The slots of mailboxes, in total and for each client. Clients without a slot use no memory. */
export class MailboxSlots {
  readonly #byClient = new Map<string, number>();
  #taken = 0;

  get taken(): number {
    return this.#taken;
  }

  takenBy(client: string): number {
    return this.#byClient.get(client) ?? 0;
  }

  take(client: string): void {
    this.#taken++;
    this.#byClient.set(client, this.takenBy(client) + 1);
  }

  release(client: string): void {
    this.#taken--;
    const left = this.takenBy(client) - 1;
    if (left > 0) this.#byClient.set(client, left);
    else this.#byClient.delete(client);
  }
}

/** Calls of Connect that found no free slot, and wait for leaving mailboxes. */
export class SlotWaiters {
  readonly #waiting = new Set<() => void>();

  /** Wakes all waiting calls: a mailbox has left, or no mailbox opens any more. */
  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  /**
   * Resolves when there is a slot, or when waiting longer has no use: nothing is leaving, the signal is aborted,
   * or a second has passed.
   */
  async wait(
    isFull: () => boolean,
    isAnyLeaving: () => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let isOver = false;
    const giveUp = (): void => {
      isOver = true;
      this.wake();
    };
    const timer = setTimeout(giveUp, LONGEST_WAIT_MS).unref();
    signal?.addEventListener('abort', giveUp, { once: true });
    while (!isOver && !signal?.aborted && isFull() && isAnyLeaving())
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}
