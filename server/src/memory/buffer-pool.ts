/** Buffers below this are not worth a place: Node cuts them from slabs of its own. Unit: bytes. */
const SMALLEST_BYTES = 4 * 1024;
/** Buffers above this are too rare to be kept. Unit: bytes. */
const LARGEST_BYTES = 512 * 1024;
/** Lengths between a power of two and the next: at most an eighth of a buffer is more than was asked for. */
const STEPS = 8;

/**
 * Buffers that are used again. V8 frees the memory of a buffer with the next collection, and collects the whole heap
 * for every few tens of megabytes of such memory: at 100 MB/s of messages that is most of a processor.
 *
 * Whoever takes a buffer owns it until it is given back, and gives it back at most once. One that is never given back is
 * collected like any other. What is kept is bounded: beyond `maxFreeBytes` the lengths that were not asked for
 * the longest time go first.
 */
export class BufferPool {
  /** Free buffers by length; the lengths in the order in which they were asked for last. */
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;

  /** @param maxFreeBytes most bytes that lie unused */
  constructor(readonly maxFreeBytes: number) {}

  /** Bytes that lie unused. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A buffer of at least so many bytes, with anything in it. */
  take(bytes: number): Buffer {
    if (bytes > LARGEST_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const length = lengthFor(bytes);
    const buffers = this.#free.get(length);
    const buffer = buffers?.pop();
    if (buffers !== undefined) {
      this.#free.delete(length);
      this.#free.set(length, buffers);
    }
    if (buffer === undefined) return Buffer.allocUnsafeSlow(length);
    this.#freeBytes -= length;
    return buffer;
  }

  /** Takes back what take() gave. Nobody may read or write it any more. */
  give(buffer: Buffer): void {
    const { length } = buffer;
    if (length > LARGEST_BYTES) return;
    const buffers = this.#free.get(length);
    if (buffers === undefined) this.#free.set(length, [buffer]);
    else buffers.push(buffer);
    this.#freeBytes += length;
    if (this.#freeBytes > this.maxFreeBytes) this.#evict();
  }

  #evict(): void {
    for (const [length, buffers] of this.#free) {
      while (this.#freeBytes > this.maxFreeBytes && buffers.length > 0) {
        buffers.pop();
        this.#freeBytes -= length;
      }
      if (buffers.length > 0) return;
      this.#free.delete(length);
    }
  }
}

/** The smallest length of a buffer that holds so many bytes. */
export function lengthFor(bytes: number): number {
  if (bytes <= SMALLEST_BYTES) return SMALLEST_BYTES;
  const step = 2 ** (31 - Math.clz32(bytes - 1)) / STEPS;
  return Math.ceil(bytes / step) * step;
}

/** For all mailboxes of the process together. */
export const buffers = new BufferPool(4 * 1024 * 1024);
