import type { SharedFrame } from './shared-frame.js';

/** The cost of a frame beside its bytes: its objects and its queue entries. Unit: bytes. */
const FRAME_OVERHEAD_BYTES = 256;

/** Counts the bytes of all queues together. A frame in many queues counts once. */
export class QueueBudget {
  #bytes = 0;

  /** Memory of the frames in at least one queue: their bytes, and 256 for each. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A queue adds `frame`. */
  hold(frame: SharedFrame): void {
    if (frame.holders++ === 0) this.#bytes += frame.length + FRAME_OVERHEAD_BYTES;
  }

  /** A queue has finished with `frame`. */
  release(frame: SharedFrame): void {
    if (--frame.holders === 0) this.#bytes -= frame.length + FRAME_OVERHEAD_BYTES;
  }
}
