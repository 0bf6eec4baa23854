import type { Socket } from 'node:net';

/** A direction of a link: the bytes of the client, or the bytes of the server. */
export type Direction = 'requests' | 'responses';

/** The behavior of a link. It always keeps the order of bytes and never changes them. */
export interface LinkConditions {
  /** Delay of each byte. Unit: ms. 0: none. */
  latencyMs: number;
  /** Maximum bytes per second, for each direction of each connection. 0: no limit. */
  bytesPerSecond: number;
  /** Bytes are forwarded in pieces of this size, each in a separate packet. 0: unchanged. */
  sliceBytes: number;
  /** Nothing passes, as on a broken network. The bytes wait. */
  silent: boolean;
  /** The same for one direction. */
  silentDirection: Direction | undefined;
}

export const CLEAR: Readonly<LinkConditions> = {
  latencyMs: 0,
  bytesPerSecond: 0,
  sliceBytes: 0,
  silent: false,
  silentDirection: undefined,
};

/** Above this size, the source is not read, so that its sender gets backpressure. Unit: bytes. */
const HIGH_WATER = 64 * 1024;
/** Interval at which a throttled link forwards bytes. Unit: ms. */
const TICK_MS = 10;

/** One direction of a connection through a link. */
export class FaultPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #conditions: Readonly<LinkConditions>;
  readonly #direction: Direction;
  #waiting: { bytes: Buffer; dueAt: number }[] = [];
  #waitingBytes = 0;
  #ended = false;
  #asleep = false;
  #discarding = false;

  constructor(from: Socket, to: Socket, conditions: Readonly<LinkConditions>, direction: Direction) {
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#conditions = conditions;
    from.on('data', (bytes: Buffer) => {
      if (this.#discarding) return;
      this.#waiting.push({ bytes, dueAt: performance.now() + conditions.latencyMs });
      this.#waitingBytes += bytes.length;
      this.run();
    });
    from.on('end', () => {
      this.#ended = true;
      this.run();
    });
  }

  /** Discards all later bytes of the source. */
  discard(): void {
    this.#discarding = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#from.resume();
  }

  get #isSilent(): boolean {
    return this.#conditions.silent || this.#conditions.silentDirection === this.#direction;
  }

  /** Forwards the allowed bytes. Call it after a change of the conditions. */
  run(): void {
    if (this.#discarding) return;
    if (!this.#asleep) this.#pass();
    const full = this.#isSilent || this.#waitingBytes > HIGH_WATER;
    if (full !== this.#from.isPaused()) full ? this.#from.pause() : this.#from.resume();
  }

  #pass(): void {
    const conditions = this.#conditions;
    while (!this.#isSilent && this.#waiting.length > 0) {
      const early = this.#waiting[0]!.dueAt - performance.now();
      if (early > 0) {
        this.#sleep(early);
        return;
      }
      if (!this.#to.write(this.#takePiece())) {
        this.#asleep = true;
        this.#to.once('drain', this.#wake);
        return;
      }
      if (conditions.bytesPerSecond > 0 || conditions.sliceBytes > 0) {
        this.#sleep(conditions.bytesPerSecond > 0 ? TICK_MS : 0);
        return;
      }
    }
    if (this.#ended && !this.#isSilent && this.#waiting.length === 0) this.#to.end();
  }

  #takePiece(): Buffer {
    const { bytesPerSecond, sliceBytes } = this.#conditions;
    const head = this.#waiting[0]!;
    let size = head.bytes.length;
    if (sliceBytes > 0) size = Math.min(size, sliceBytes);
    if (bytesPerSecond > 0) size = Math.min(size, Math.max(1, Math.floor((bytesPerSecond * TICK_MS) / 1000)));
    const piece = head.bytes.subarray(0, size);
    head.bytes = head.bytes.subarray(size);
    this.#waitingBytes -= size;
    if (head.bytes.length === 0) this.#waiting.shift();
    return piece;
  }

  #sleep(ms: number): void {
    this.#asleep = true;
    if (ms === 0) setImmediate(this.#wake);
    else setTimeout(this.#wake, ms);
  }

  readonly #wake = () => {
    this.#asleep = false;
    this.run();
  };
}
