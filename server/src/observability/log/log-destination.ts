/** The stream for log lines: standard error, or a replacement in tests. */
export interface LogStream {
  write(line: string): unknown;
  /** Bytes that wait for the reader. If undefined, nothing is limited. */
  readonly writableLength?: number;
  on?(event: 'drain', listener: () => void): unknown;
}

/** Largest size of lines in memory that wait for a slow reader. Unit: bytes. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Writes lines to a stream whose reader can stall. Never waits, and holds a limited number of bytes: discards
 * further lines and counts them.
 */
export class LogDestination {
  #dropped = 0;

  /**
   * @param onDropped - called when there is room again, with the number of discarded lines; may write
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
    // Reports the count before the next line, at the position of the missing lines.
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
