import type { SharedFrame } from './shared-frame.js';

/** Counts the bytes that all queues hold together; a frame in many queues counts once. */
export class QueueBudget {
  #bytes = 0;

  /** Bytes of the frames that at least one queue holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A queue takes `frame`. */
  hold(frame: SharedFrame): void {
    if (frame.holders++ === 0) this.#bytes += frame.length;
  }

  /** A queue is done with `frame`. */
  release(frame: SharedFrame): void {
    if (--frame.holders === 0) this.#bytes -= frame.length;
  }
}
