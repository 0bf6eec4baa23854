import type { Writable } from 'node:stream';
import type { QueueBudget } from './queue-budget.js';
import type { SharedFrame } from './shared-frame.js';

/** One write to the stream: at most this many frames or bytes, but at least one frame. */
const MAX_BATCH_FRAMES = 128;
const MAX_BATCH_BYTES = 64 * 1024;

export interface SendQueueOptions {
  /** Limit of queued messages, which the stream has not accepted yet. */
  readonly maxMessages: number;
  readonly budget: QueueBudget;
  /** Called when the stream has accepted frames that it did not accept immediately. */
  readonly onDrain: () => void;
}

/**
 * The output queue of one client. Frames are collected until `flush` (the end of the event loop's turn) and go to
 * the stream in batches, one system call each. A frame counts as queued until the stream has accepted all of its
 * batch.
 */
export class SendQueue {
  #waiting: SharedFrame[] = [];
  #waitingBytes = 0;
  /** The batch that the stream has not accepted completely. Nothing else is written meanwhile. */
  #inFlight: SharedFrame[] = [];
  #bytes = 0;
  #closed = false;

  constructor(
    private readonly stream: Writable,
    private readonly options: SendQueueOptions,
  ) {}

  /** Number of messages that the stream has not accepted, including those collected in this turn. */
  get messages(): number {
    return this.#waiting.length + this.#inFlight.length;
  }

  /** Bytes of `messages`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True while the stream accepts no more. */
  get blocked(): boolean {
    return this.#inFlight.length > 0;
  }

  /** False when the queue is full: the receiver does not read, and the frame was not queued. */
  push(frame: SharedFrame): boolean {
    if (this.#closed) return true;
    if (this.messages >= this.options.maxMessages) {
      // Frames collected in this turn do not count, because the stream has not rejected them yet.
      this.flush();
      if (this.messages >= this.options.maxMessages) return false;
    }
    this.options.budget.hold(frame);
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    this.#bytes += frame.length;
    if (!this.blocked && (this.messages >= MAX_BATCH_FRAMES || this.#waitingBytes >= MAX_BATCH_BYTES))
      this.flush();
    return true;
  }

  /** Writes as much as the stream accepts now. */
  flush(): void {
    while (!this.blocked && this.#waiting.length > 0 && !this.stream.destroyed) {
      const batch = this.#takeBatch();
      this.#write(batch);
      if (this.stream.writableLength === 0) this.#release(batch);
      else this.#inFlight = batch;
    }
  }

  /** Discards all queued frames and accepts no more. */
  close(): void {
    this.#closed = true;
    this.#release(this.#inFlight);
    this.#release(this.#waiting);
    this.#inFlight = [];
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #takeBatch(): SharedFrame[] {
    let count = 0;
    let bytes = 0;
    do {
      bytes += this.#waiting[count++]!.length;
    } while (
      count < this.#waiting.length &&
      count < MAX_BATCH_FRAMES &&
      bytes + this.#waiting[count]!.length <= MAX_BATCH_BYTES
    );
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #write(batch: SharedFrame[]): void {
    const { stream } = this;
    const last = batch.at(-1)!;
    const single = batch.length === 1 && last.buffers.length === 1;
    if (!single) stream.cork();
    for (const frame of batch)
      for (const buffer of frame.buffers)
        if (frame !== last || buffer !== frame.buffers.at(-1)) stream.write(buffer);
    stream.write(last.buffers.at(-1)!, () => this.#taken(batch));
    if (!single) stream.uncork();
  }

  /**
   * Also called for a batch that the stream accepts immediately, and, without effect, after the stream has closed.
   */
  #taken(batch: SharedFrame[]): void {
    if (this.#inFlight !== batch || this.#closed) return;
    this.#release(batch);
    this.#inFlight = [];
    this.flush();
    this.options.onDrain();
  }

  #release(frames: readonly SharedFrame[]): void {
    for (const frame of frames) {
      this.#bytes -= frame.length;
      this.options.budget.release(frame);
    }
  }
}
