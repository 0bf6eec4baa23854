/**
 * The bytes of responses that clients have not taken, of all calls together. A connection may hold as much as is still free:
 * one holds half at most, n of them n/(n+1), and there is always room for those that read.
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

  /** Whether a connection may hold one response more. */
  hasRoom(connection: unknown): boolean {
    return (this.#held.get(connection) ?? 0) < this.totalBytes - this.#used;
  }

  /** A connection holds so many bytes more, or less. */
  change(connection: unknown, bytes: number): void {
    if (bytes === 0) return;
    this.#used += bytes;
    const held = (this.#held.get(connection) ?? 0) + bytes;
    if (held > 0) this.#held.set(connection, held);
    else this.#held.delete(connection);
  }
}
