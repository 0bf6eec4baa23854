import type { Writable } from 'node:stream';
import { createColors } from 'picocolors';

type TerminalStream = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/**
 * Standard output or standard error of a command. Waits for a slow reader. A reader that closes the pipe (`… |
 * head -1`) stops the command.
 */
export class Output {
  readonly #stream: TerminalStream;
  readonly #onGone: (error: NodeJS.ErrnoException) => void;
  #gone = false;
  readonly #onError = (error: NodeJS.ErrnoException) => {
    this.#gone = true;
    this.#onGone(error);
  };

  /** Colours for this output; none unless it is a terminal. */
  readonly colors: ReturnType<typeof createColors>;

  /**
   * @param colors - whether a terminal may be coloured
   * @param onGone - called when the reader has closed the stream
   */
  constructor(stream: TerminalStream, colors: boolean, onGone: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream;
    this.#onGone = onGone;
    this.colors = createColors(colors && this.isTerminal);
    stream.on('error', this.#onError);
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Width of the terminal in characters. 80 if the width is unknown. */
  get columns(): number {
    return this.#stream.columns ?? 80;
  }

  /** Height of the terminal in lines. 24 if the height is unknown. */
  get rows(): number {
    return this.#stream.rows ?? 24;
  }

  /** The stream for libraries that need one. */
  get stream(): Writable {
    return this.#stream;
  }

  /** Writes. Resolves when the stream has room again. Writes nothing after the reader has closed the stream. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#gone || this.#stream.write(data)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#stream.off('drain', done);
        this.#stream.off('error', done);
        this.#stream.off('close', done);
        resolve();
      };
      this.#stream.on('drain', done);
      this.#stream.on('error', done);
      this.#stream.on('close', done);
    });
  }

  /** Writes a line. */
  line(text = ''): Promise<void> {
    return this.write(`${text}\n`);
  }

  /**
   * Waits until the operating system has all output, then releases the stream.
   *
   * @param timeoutMs - time limit for a slow reader. Unit: ms. Default: no limit
   */
  async close(timeoutMs?: number): Promise<void> {
    if (!this.#gone) await this.#flushed(timeoutMs);
    this.#stream.off('error', this.#onError);
  }

  #flushed(timeoutMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      this.#stream.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** A number with its noun: `1 byte`, `2 bytes`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
