/**
 * Part of a byte stream's grammar as a generator: it yields how many bytes it needs next, gets exactly those, and
 * returns what it has understood. The same grammar so serves any cut of the stream.
 */
export type Grammar<T> = Generator<number, T, Buffer>;

/**
 * Feeds chunks to a grammar. Each step needs at most a few hundred bytes, all of them bounded by the grammars here
 * (a length is one byte): nothing a peer announces can make this take more.
 */
export class IncrementalReader<T> {
  readonly #grammar: Grammar<T>;
  #needed = 0;
  #step: Buffer | undefined;
  #filled = 0;
  #taken = 0;
  #value: T | undefined;
  #done = false;
  #failure: { error: unknown } | undefined;
  /** Bytes that came behind the end of the grammar; empty until it is done. */
  rest: Buffer = Buffer.alloc(0);

  constructor(grammar: Grammar<T>) {
    this.#grammar = grammar;
    this.#advance(grammar.next());
  }

  /** True once the whole grammar was read; `value` is then what it says. */
  get done(): boolean {
    return this.#done;
  }

  /** What was read. Throws when it is asked for too early. */
  get value(): T {
    if (!this.#done) throw new Error('the grammar is not complete');
    return this.#value as T;
  }

  /** Bytes of the grammar that were read so far. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes the next bytes; true when the grammar is complete. Bytes behind its end are found in `rest`; pushing again
   * after that is a mistake of the caller. Throws what the grammar throws, and the same again on each further push.
   */
  push(chunk: Buffer): boolean {
    if (this.#done) throw new Error('the grammar is complete');
    if (this.#failure) throw this.#failure.error;
    let offset = 0;
    while (!this.#done && (offset < chunk.length || this.#needed === this.#filled)) {
      this.#step ??= Buffer.alloc(this.#needed);
      const copied = chunk.copy(this.#step, this.#filled, offset, offset + this.#needed - this.#filled);
      offset += copied;
      this.#filled += copied;
      this.#taken += copied;
      if (this.#filled < this.#needed) break;
      const bytes = this.#step;
      this.#step = undefined;
      this.#filled = 0;
      try {
        this.#advance(this.#grammar.next(bytes));
      } catch (error) {
        this.#failure = { error };
        throw error;
      }
    }
    if (this.#done) this.rest = chunk.subarray(offset);
    return this.#done;
  }

  #advance(result: IteratorResult<number, T>): void {
    if (result.done) {
      this.#done = true;
      this.#value = result.value;
    } else {
      this.#needed = result.value;
    }
  }
}
