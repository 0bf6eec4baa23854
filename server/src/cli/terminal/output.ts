import type { Writable } from 'node:stream';
import { createColors } from 'picocolors';

/**
 * Standard output or standard error of a command. Waits for a reader that is slow, and takes a reader that went away
 * (`… | head -1`) as a wish to stop.
 */
export class Output {
  readonly #stream: Writable & { isTTY?: boolean; columns?: number };
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
   * @param onGone - called when nothing can be written any more
   */
  constructor(
    stream: Writable & { isTTY?: boolean; columns?: number },
    colors: boolean,
    onGone: (error: NodeJS.ErrnoException) => void,
  ) {
    this.#stream = stream;
    this.#onGone = onGone;
    this.colors = createColors(colors && this.isTerminal);
    stream.on('error', this.#onError);
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Width of the terminal in characters; 80 where that is not known. */
  get columns(): number {
    return this.#stream.columns ?? 80;
  }

  /** Where a library wants the stream itself. */
  get stream(): Writable {
    return this.#stream;
  }

  /**
   * Writes; the promise is fulfilled when the stream has room again. It writes nothing after the reader has closed the
   * stream.
   */
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
   * Lets go of the stream, once everything was given to the operating system.
   *
   * @param timeoutMs - how long to wait for a reader that is slow. Unit: ms. Default: without end
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
