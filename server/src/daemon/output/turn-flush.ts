/** An object with writes to make at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** Collects objects with pending writes, and flushes each once per turn of the event loop. */
export class TurnFlush {
  #due = new Set<Flushable>();

  add(flushable: Flushable): void {
    this.#due.add(flushable);
    if (this.#due.size === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const due = this.#due;
    this.#due = new Set();
    for (const flushable of due) flushable.flush();
  }
}
