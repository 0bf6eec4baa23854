/** Where lines go: standard error, or what a test has instead. */
export interface LogStream {
  write(line: string): unknown;
  /** Bytes that wait for the reader. Without it nothing is bounded. */
  readonly writableLength?: number;
  on?(event: 'drain', listener: () => void): unknown;
}

/** Most bytes of lines that wait in memory for a reader that does not keep up. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Writes lines to a stream whose reader may stall. Never waits, and holds a bounded number of bytes: lines beyond that are
 * dropped and counted.
 */
export class LogDestination {
  #dropped = 0;

  /**
   * @param onDropped - called when there is room again, with the number of lines that were dropped; may write
   * @param maxWaitingBytes - default 1 MiB
   */
  constructor(
    private readonly stream: LogStream,
    private readonly onDropped: (lines: number) => void,
    private readonly maxWaitingBytes = MAX_WAITING_BYTES,
  ) {
    stream.on?.('drain', () => this.#report());
  }

  write(line: string): void {
    const waiting = this.stream.writableLength ?? 0;
    if (waiting > 0 && waiting + Buffer.byteLength(line) > this.maxWaitingBytes) {
      this.#dropped++;
      return;
    }
    // Before the next line, so that the gap is where the lines are missing.
    if (this.#dropped > 0 && waiting <= this.maxWaitingBytes / 2) this.#report();
    if (this.#dropped > 0) this.#dropped++;
    else this.stream.write(line);
  }

  #report(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.onDropped(dropped);
  }
}
