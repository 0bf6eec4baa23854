/**
 * Part of a byte stream's grammar as a generator: it yields the number of bytes that it needs next, gets exactly
 * those, and returns the parsed value. The same grammar works for any split of the stream.
 */
export type Grammar<T> = Generator<number, T, Buffer>;

/**
 * Feeds chunks to a grammar. The grammars here limit each step to a few hundred bytes (a length is one byte), so a
 * peer cannot make this use more memory.
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
  /** Bytes after the end of the grammar. Empty until it is complete. */
  rest: Buffer = Buffer.alloc(0);

  constructor(grammar: Grammar<T>) {
    this.#grammar = grammar;
    this.#advance(grammar.next());
  }

  /** True once the whole grammar was read. `value` then has the result. */
  get done(): boolean {
    return this.#done;
  }

  /** The parsed value. Throws before the grammar is complete. */
  get value(): T {
    if (!this.#done) throw new Error('the grammar is not complete');
    return this.#value as T;
  }

  /** Number of bytes of the grammar that were read so far. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Processes the next bytes. True when the grammar is complete. Bytes after its end are in `rest`. Do not push
   * again after the end. Throws the error of the grammar, and the same error on each further push.
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
