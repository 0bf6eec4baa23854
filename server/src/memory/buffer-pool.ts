const SMALLEST_LOG2 = 10;
const LARGEST_LOG2 = 19;
/** Smaller buffers are not pooled, because Node allocates them from its own slabs. Unit: bytes. */
const SMALLEST_BYTES = 2 ** SMALLEST_LOG2;
/** Larger buffers are too rare to be pooled. Unit: bytes. */
const LARGEST_BYTES = 2 ** LARGEST_LOG2;
/** Number of lengths between a power of two and the next: a buffer is at most an eighth larger than requested. */
const STEPS_LOG2 = 3;
const STEPS = 2 ** STEPS_LOG2;
const CLASSES = (LARGEST_LOG2 - SMALLEST_LOG2) * STEPS + 1;

/** Buffers of one length. */
interface Class {
  readonly free: Buffer[];
  /** Time of the last request. */
  askedAt: number;
}

/**
 * Buffers that are reused. V8 frees the memory of a buffer with the next collection, and collects the whole heap
 * for every few dozen megabytes of such memory. At 100 MB/s of messages, that uses most of a processor.
 *  The caller of take() owns the buffer until it returns the buffer, and returns it at most once. A buffer that is
 * never returned is garbage-collected. The pool is limited: beyond `maxFreeBytes`, it first discards the lengths
 * that were not requested for the longest time.
 */
export class BufferPool {
  readonly #classes = Array.from({ length: CLASSES }, (): Class => ({ free: [], askedAt: 0 }));
  #freeBytes = 0;
  /** Counts requests, as a clock. */
  #clock = 0;

  /** @param maxFreeBytes largest number of unused bytes */
  constructor(readonly maxFreeBytes: number) {}

  /** Number of unused bytes. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A buffer of at least this size, with any content. */
  take(bytes: number): Buffer {
    if (bytes > LARGEST_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const length = lengthFor(bytes);
    const of = this.#classes[classOf(length)]!;
    of.askedAt = ++this.#clock;
    const buffer = of.free.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(length);
    this.#freeBytes -= length;
    return buffer;
  }

  /** Returns a buffer of take() to the pool. The caller must not read or write it afterwards. */
  give(buffer: Buffer): void {
    const { length } = buffer;
    if (length > LARGEST_BYTES) return;
    this.#classes[classOf(length)]!.free.push(buffer);
    this.#freeBytes += length;
    while (this.#freeBytes > this.maxFreeBytes) this.#evict();
  }

  #evict(): void {
    let oldest: Class | undefined;
    for (const of of this.#classes)
      if (of.free.length > 0 && (oldest === undefined || of.askedAt < oldest.askedAt)) oldest = of;
    this.#freeBytes -= oldest?.free.pop()?.length ?? 0;
  }
}

/** The smallest length of a buffer that holds this number of bytes. */
export function lengthFor(bytes: number): number {
  if (bytes <= SMALLEST_BYTES) return SMALLEST_BYTES;
  const stepLog2 = 31 - Math.clz32(bytes - 1) - STEPS_LOG2;
  return (((bytes - 1) >>> stepLog2) + 1) << stepLog2;
}

/** The index of a length that `lengthFor` returns. */
function classOf(length: number): number {
  const log2 = 31 - Math.clz32(length);
  return (log2 - SMALLEST_LOG2) * STEPS + ((length >>> (log2 - STEPS_LOG2)) - STEPS);
}

/** Shared by all mailboxes of the process. */
export const buffers = new BufferPool(4 * 1024 * 1024);
