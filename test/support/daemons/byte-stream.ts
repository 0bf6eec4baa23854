import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { within } from '../until.js';

/** A socket from which a test reads exact numbers of bytes with a timeout. */
export class ByteStream {
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  /** The error that ended the stream, if there was one. */
  error: NodeJS.ErrnoException | undefined;
  #wake: (() => void) | undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake?.();
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', (error) => {
      this.error = error;
    });
  }

  /** Connects. The socket is destroyed at the end of the running test. */
  static async connect(where: NetConnectOpts): Promise<ByteStream> {
    const socket = connect({ noDelay: true, allowHalfOpen: true, ...where });
    onTestFinished(() => {
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new ByteStream(socket);
  }

  get ended(): boolean {
    return this.#ended && this.#length === 0;
  }

  /** Number of received bytes that were not read. */
  get available(): number {
    return this.#length;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** All received bytes, possibly none. */
  take(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#length = 0;
    return all;
  }

  /** Reads exactly `count` bytes. Rejects when the stream ends before, or after `timeoutMs`. */
  async read(count: number, timeoutMs = 5000): Promise<Buffer> {
    await this.#until(
      () => this.#length >= count || this.#ended,
      `${count} bytes; there are ${this.#length}`,
      timeoutMs,
    );
    if (this.#length < count) {
      const got = this.take();
      const how = this.error?.code ?? 'end of stream';
      throw new Error(`${how} after ${got.length} of ${count} bytes: ${got.toString('hex')}`);
    }
    const all = this.take();
    this.#unread(all.subarray(count));
    return all.subarray(0, count);
  }

  /** Waits for the end of the stream. Rejects when a byte arrives instead. */
  async end(timeoutMs = 5000): Promise<void> {
    await this.#until(() => this.#ended || this.#length > 0, 'the end of the stream', timeoutMs);
    if (this.#length > 0)
      throw new Error(`instead of the end of the stream came ${this.take().toString('hex')}`);
  }

  #unread(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#chunks.unshift(bytes);
    this.#length += bytes.length;
  }

  async #until(condition: () => boolean, what: string, timeoutMs: number): Promise<void> {
    while (!condition()) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within(woken, what, timeoutMs);
    }
  }
}
