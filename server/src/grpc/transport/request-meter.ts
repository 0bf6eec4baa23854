/** Size of a message's prefix: one byte for the compression flag, and four for the length. */
const HEAD_BYTES = 5;

/**
 * Counts the unprocessed bytes of a call's request as they arrive. grpc-js joins a whole message before it delivers the
 * message, and does not report its progress.
 */
export class RequestMeter {
  /** The incomplete message. */
  #partial = 0;
  #headSeen = 0;
  #compressed = false;
  #length = 0;
  /** Sizes of complete messages that the handler does not have yet. */
  readonly #waiting: number[] = [];
  #held = 0;

  /**
   * @param compressedBytes largest possible size of a compressed message, which it counts with
   * @param maxBytes largest size of a message
   */
  constructor(
    private readonly compressedBytes: number,
    private readonly maxBytes: number,
  ) {}

  /** Bytes that count for this call. */
  get held(): number {
    return this.#held + this.#partial;
  }

  /** Counts arrived bytes. @returns the unusual property of a message in them, if any */
  arrived(chunk: Buffer): 'compressed' | 'too large' | undefined {
    let unusual: 'compressed' | 'too large' | undefined;
    let at = 0;
    while (at < chunk.length) {
      if (this.#headSeen < HEAD_BYTES) {
        const byte = chunk[at++]!;
        if (this.#headSeen === 0) {
          this.#compressed = byte === 1;
          if (this.#compressed) unusual ??= 'compressed';
          this.#length = 0;
        } else {
          this.#length = this.#length * 256 + byte;
        }
        this.#headSeen++;
        if (this.#headSeen === HEAD_BYTES && this.#length > this.maxBytes) unusual ??= 'too large';
        this.#partial = this.#compressed ? this.compressedBytes : this.#headSeen;
        if (this.#headSeen === HEAD_BYTES && this.#length === 0) this.#complete();
        continue;
      }
      const taken = Math.min(chunk.length - at, this.#length);
      at += taken;
      this.#length -= taken;
      if (!this.#compressed) this.#partial += taken;
      if (this.#length === 0) this.#complete();
    }
    return unusual;
  }

  /** The handler has the oldest message. */
  handedOver(): void {
    this.#held -= this.#waiting.shift() ?? 0;
  }

  /** All messages were processed, or they are no longer needed. */
  clear(): void {
    this.#waiting.length = 0;
    this.#held = 0;
    this.#partial = 0;
  }

  #complete(): void {
    this.#waiting.push(this.#partial);
    this.#held += this.#partial;
    this.#partial = 0;
    this.#headSeen = 0;
  }
}
