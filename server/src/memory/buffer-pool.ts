const SMALLEST_LOG2 = 10;
const LARGEST_LOG2 = 19;
/** Buffers below this are not worth a place: Node cuts them from slabs of its own. Unit: bytes. */
const SMALLEST_BYTES = 2 ** SMALLEST_LOG2;
/** Buffers above this are too rare to be kept. Unit: bytes. */
const LARGEST_BYTES = 2 ** LARGEST_LOG2;
/** Lengths between a power of two and the next: at most an eighth of a buffer is more than was asked for. */
const STEPS_LOG2 = 3;
const STEPS = 2 ** STEPS_LOG2;
const CLASSES = (LARGEST_LOG2 - SMALLEST_LOG2) * STEPS + 1;

/** Buffers of one length. */
interface Class {
  readonly free: Buffer[];
  /** When one was asked for last. */
  askedAt: number;
}

/**
 * Buffers that are used again. V8 frees the memory of a buffer with the next collection, and collects the whole heap
 * for every few tens of megabytes of such memory: at 100 MB/s of messages that is most of a processor.
 *
 * The caller of take() owns the buffer until it returns the buffer, and returns it at most once. One that is never
 * given back is collected like any other. What is kept is bounded: beyond `maxFreeBytes` the lengths that were not
 * asked for the longest time go first.
 */
export class BufferPool {
  readonly #classes = Array.from({ length: CLASSES }, (): Class => ({ free: [], askedAt: 0 }));
  #freeBytes = 0;
  /** Counts what was asked for. */
  #clock = 0;

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
    const of = this.#classes[classOf(length)]!;
    of.askedAt = ++this.#clock;
    const buffer = of.free.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(length);
    this.#freeBytes -= length;
    return buffer;
  }

  /** Accepts a buffer of take() back. It must not be read or written afterwards. */
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

/** The smallest length of a buffer that holds so many bytes. */
export function lengthFor(bytes: number): number {
  if (bytes <= SMALLEST_BYTES) return SMALLEST_BYTES;
  const stepLog2 = 31 - Math.clz32(bytes - 1) - STEPS_LOG2;
  return (((bytes - 1) >>> stepLog2) + 1) << stepLog2;
}

/** Which of the lengths that `lengthFor` gives this is. */
function classOf(length: number): number {
  const log2 = 31 - Math.clz32(length);
  return (log2 - SMALLEST_LOG2) * STEPS + ((length >>> (log2 - STEPS_LOG2)) - STEPS);
}

/** For all mailboxes of the process together. */
export const buffers = new BufferPool(4 * 1024 * 1024);
