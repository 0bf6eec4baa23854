/** First pause between two reports. It doubles up to the longest pause. Unit: ms. */
const FIRST_MS = 5000;
const LONGEST_MS = 60_000;

/** Reports repeatedly, with growing pauses, how long the sidecar has been waiting for its daemon. */
export class DaemonWait {
  #timer: NodeJS.Timeout | undefined;
  #sinceMs = 0;

  /** @param report - gets the time since {@link begin}. Unit: ms */
  constructor(private readonly report: (waitedMs: number) => void) {}

  /** The sidecar has no daemon from now on. Has no effect while it waits already. */
  begin(): void {
    if (this.#timer !== undefined) return;
    this.#sinceMs = performance.now();
    this.#schedule(FIRST_MS);
  }

  /** The daemon responds, or the wait has ended. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      this.report(performance.now() - this.#sinceMs);
      this.#schedule(Math.min(2 * pauseMs, LONGEST_MS));
    }, pauseMs);
    this.#timer.unref();
  }
}
