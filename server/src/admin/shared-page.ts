/** A page that was made costs its maker this many times its own duration in which no other is made. */
const REST_FACTOR = 4;
/** Longest such rest. Unit: ms. */
const MAX_REST_MS = 1000;

/**
 * Makes a page for all who ask meanwhile: at most one is in progress. Pages that are asked for without a pause take at most a
 * fifth of the time of the process; a request that comes during the rest gets a page that is made after it.
 */
export class SharedPage<Page> {
  #pending: Promise<Page> | undefined;
  #restsUntil = 0;

  constructor(private readonly make: () => Promise<Page> | Page) {}

  /** Rejects as the maker does. */
  get(): Promise<Page> {
    this.#pending ??= this.#makeNext().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #makeNext(): Promise<Page> {
    const restMs = this.#restsUntil - performance.now();
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    const startedAt = performance.now();
    try {
      return await this.make();
    } finally {
      const endedAt = performance.now();
      this.#restsUntil = endedAt + Math.min(MAX_REST_MS, REST_FACTOR * (endedAt - startedAt));
    }
  }
}
