/** How long a Connect waits for the slot of a mailbox that is leaving: one whose client reads is gone within milliseconds. */
const LONGEST_WAIT_MS = 1000;

/** Connects that found no free slot, and wait for mailboxes that are leaving. */
export class SlotWaiters {
  readonly #waiting = new Set<() => void>();

  /** Tells all that wait: a mailbox has left, or nothing is opened any more. */
  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  /**
   * Resolves when there is a slot, or when it is of no use to wait any longer: nothing is leaving, the signal is aborted, or a
   * second has passed.
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
