/** Runs the requests of one service in the order of their delivery, at most `concurrency` at a time (Q8). */
export class ServiceQueue<Request> {
  readonly #waiting: Request[] = [];
  #running = 0;
  #isStopped = false;

  /**
   * @param run - handles one request. Never rejects
   * @param concurrency - handlers that run at the same time
   * @param maxQueued - requests that wait for a handler
   */
  constructor(
    private readonly run: (request: Request) => Promise<void>,
    private readonly concurrency: number,
    private readonly maxQueued: number,
  ) {}

  /** Returns false if too many requests wait. */
  add(request: Request): boolean {
    if (this.#running >= this.concurrency && this.#waiting.length >= this.maxQueued) return false;
    this.#waiting.push(request);
    this.#next();
    return true;
  }

  /** Starts no further handler. Returns the requests that wait. */
  stop(): Request[] {
    this.#isStopped = true;
    return this.#waiting.splice(0);
  }

  #next(): void {
    while (!this.#isStopped && this.#running < this.concurrency) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      this.#running += 1;
      void this.run(request).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}
