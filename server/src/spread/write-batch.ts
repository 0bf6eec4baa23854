import type { FrameSpace } from './wire/index.js';

const FIRST_CHUNK_BYTES = 1024;
const LARGEST_CHUNK_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Frames on their way to one connection, written one after the other, so that many small ones are sent as one
 * piece.
 *  Taken bytes can be read until rest(), which ends their use. Then their memory is reused, so that a busy
 * connection creates no garbage and an idle one holds one chunk of at most 16 KiB.
 */
export class WriteBatch implements FrameSpace {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #chunk = NOTHING;
  /** The start of the batch's part of the chunk, which ends at #used. */
  #start = 0;
  #used = 0;
  #nextChunkBytes = FIRST_CHUNK_BYTES;

  /** Number of bytes that were not taken yet. */
  get bytes(): number {
    return this.#bytes;
  }

  get buffer(): Buffer {
    return this.#chunk;
  }

  reserve(bytes: number): number {
    if (this.#chunk.length - this.#used < bytes) {
      this.#close();
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(this.#nextChunkBytes, bytes));
      this.#nextChunkBytes = Math.min(2 * this.#nextChunkBytes, LARGEST_CHUNK_BYTES);
      this.#start = 0;
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += bytes;
    this.#bytes += bytes;
    return at;
  }

  /** Appends bytes without a copy. They must stay unchanged. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#close();
    this.#pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    this.#bytes += bytes.length;
  }

  /** All bytes, in order. */
  take(): Buffer[] {
    this.#close();
    const pieces = this.#pieces;
    if (pieces.length > 0) this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }

  /** Ends the use of the taken bytes. No effect while bytes can be taken. */
  rest(): void {
    if (this.#bytes > 0) return;
    this.#start = 0;
    this.#used = 0;
  }

  #close(): void {
    if (this.#used > this.#start) this.#pieces.push(this.#chunk.subarray(this.#start, this.#used));
    this.#start = this.#used;
  }
}
