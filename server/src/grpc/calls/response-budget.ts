/**
 * The unread bytes of the responses of all calls. A connection can use as much as is still free: a single one uses
 * at most half, n of them use n/(n+1), and there is always room for clients that read.
 */
export class ResponseBudget {
  readonly #held = new Map<unknown, number>();
  #used = 0;

  /** @param totalBytes bytes, above 0 */
  constructor(readonly totalBytes: number) {}

  /** Bytes of all connections. */
  get used(): number {
    return this.#used;
  }

  /** Whether a connection can have one more response. */
  hasRoom(connection: unknown): boolean {
    return (this.#held.get(connection) ?? 0) < this.totalBytes - this.#used;
  }

  /** Changes the bytes of a connection. */
  change(connection: unknown, bytes: number): void {
    if (bytes === 0) return;
    this.#used += bytes;
    const held = (this.#held.get(connection) ?? 0) + bytes;
    if (held > 0) this.#held.set(connection, held);
    else this.#held.delete(connection);
  }
}
