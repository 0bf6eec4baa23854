import type { ServerResponse } from 'node:http';

/** A client that has not taken its answer after this long may lose its slot to another one. Unit: ms. */
const TAKE_MS = 1000;

/** Bounds how many answers with a large page wait or are on their way at once. */
export class ScrapeSlots {
  /** With the time when each began, the oldest first. Unit: ms. */
  readonly #begun = new Map<ServerResponse, number>();

  constructor(private readonly most: number) {}

  /** Takes a slot until the answer is closed; cuts a client that reads too slowly when all are taken. @returns false: none is free */
  take(response: ServerResponse): boolean {
    if (this.#begun.size >= this.most && !this.#cutSlowest()) return false;
    this.#begun.set(response, performance.now());
    response.once('close', () => this.#begun.delete(response));
    return true;
  }

  #cutSlowest(): boolean {
    for (const [response, begunAt] of this.#begun) {
      if (performance.now() - begunAt < TAKE_MS) return false;
      // An answer that was not begun waits for us.
      if (!response.headersSent) continue;
      this.#begun.delete(response);
      response.destroy();
      return true;
    }
    return false;
  }
}
