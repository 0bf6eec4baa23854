/** A page that was made costs its maker this many times its own duration in which no other is made. */
const REST_FACTOR = 4;
/** Longest such rest. Unit: ms. */
const MAX_REST_MS = 1000;

/** Work that rests after each part, so that parts without a pause take at most a fifth of the time of the process. */
export class RestingWork {
  #restsUntil = 0;

  /** Runs a part after the rest of the previous one, which must have ended. Rejects as the part does. */
  async run<Result>(part: () => Promise<Result> | Result): Promise<Result> {
    const restMs = this.#restsUntil - performance.now();
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    const startedAt = performance.now();
    try {
      return await part();
    } finally {
      const endedAt = performance.now();
      this.#restsUntil = endedAt + Math.min(MAX_REST_MS, REST_FACTOR * (endedAt - startedAt));
    }
  }
}

/**
 * Makes a page for all who ask meanwhile: at most one is in progress. A request that comes during the rest after a page
 * gets a page that is made after it.
 */
export class SharedPage<Page> {
  #pending: Promise<Page> | undefined;
  readonly #work = new RestingWork();

  constructor(private readonly make: () => Promise<Page> | Page) {}

  /** Rejects as the maker does. */
  get(): Promise<Page> {
    this.#pending ??= this.#work.run(this.make).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }
}
