/** Time without clients after which the delay ends. A client reconnects faster. */
const QUIET_MS = 1000;
const LOOK_MS = 50;

/**
 * The time between a requested stop and the drain. All containers of a pod get SIGTERM together. Then the
 * application starts to finish its work, and needs its mailboxes for that.
 */
export class ShutdownDelay {
  #over = false;
  #wake: () => void = () => {};

  /** @param isUsed whether a client still needs the sidecar; called often */
  constructor(private readonly isUsed: () => boolean) {}

  /** Resolves after `mostMs` milliseconds, or earlier: at end(), or after a second without clients. */
  async pass(mostMs: number): Promise<void> {
    const startedAt = performance.now();
    let usedAt = startedAt;
    while (!this.#over) {
      const now = performance.now();
      if (this.isUsed()) usedAt = now;
      const left = Math.min(startedAt + mostMs - now, usedAt + QUIET_MS - now);
      if (left <= 0) return;
      await this.#pause(Math.min(left, LOOK_MS));
    }
  }

  /** Ends the current delay, or a later one. */
  end(): void {
    this.#over = true;
    this.#wake();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.ceil(ms));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
