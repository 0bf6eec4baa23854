/** Smaller frames come from Node's own slabs. Unit: bytes. */
const SMALLEST_BYTES = 16 * 1024;
/** Lengths are multiples of this, so that frames of similar sizes fit into each other's buffers. Unit: bytes. */
const STEP_BYTES = 64 * 1024;

interface SentFrame {
  readonly buffer: Buffer;
  /** Number of messages that must be decided before the buffer is free. */
  readonly until: number;
}

/**
 * Buffers of large frames, which are used again. V8 collects the whole heap for every few dozen megabytes of new buffers.
 *
 * A frame is in use until all its messages are decided: gRPC keeps it for a retry until the sidecar responds.
 */
export class FrameBuffers {
  /** Oldest first. */
  readonly #sent: SentFrame[] = [];
  readonly #free: Buffer[] = [];
  #freeBytes = 0;

  /** @param maxFreeBytes - largest number of unused bytes. While no frame is in use, at most one buffer stays. */
  constructor(private readonly maxFreeBytes: number) {}

  /** Number of unused bytes. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Writes a frame of this size into a buffer, which stays in use until `until` messages are decided. */
  write(size: number, until: number, fill: (bytes: Buffer) => void): Buffer {
    if (size < SMALLEST_BYTES) {
      const bytes = Buffer.allocUnsafe(size);
      fill(bytes);
      return bytes;
    }
    const buffer = this.#take(size);
    this.#sent.push({ buffer, until });
    const bytes = buffer.subarray(0, size);
    fill(bytes);
    return bytes;
  }

  /** The messages 1 to `count` are decided. */
  decided(count: number): void {
    let frames = 0;
    for (const { buffer, until } of this.#sent) {
      if (until > count) break;
      frames++;
      this.#free.push(buffer);
      this.#freeBytes += buffer.length;
    }
    if (frames === 0) return;
    this.#sent.splice(0, frames);
    while (this.#freeBytes > this.maxFreeBytes || (this.#sent.length === 0 && this.#free.length > 1))
      this.#freeBytes -= this.#free.shift()?.length ?? 0;
  }

  #take(size: number): Buffer {
    const index = this.#free.findLastIndex(({ length }) => length >= size);
    const [buffer] = index < 0 ? [] : this.#free.splice(index, 1);
    if (buffer === undefined) return Buffer.allocUnsafeSlow(Math.ceil(size / STEP_BYTES) * STEP_BYTES);
    this.#freeBytes -= buffer.length;
    return buffer;
  }
}
