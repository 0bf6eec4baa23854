import type { SharedFrame } from './shared-frame.js';

/** What a frame costs beside its bytes: its objects, and its places in queues. Unit: bytes. */
const FRAME_OVERHEAD_BYTES = 256;

/** Counts the bytes that all queues hold together; a frame in many queues counts once. */
export class QueueBudget {
  #bytes = 0;

  /** Memory of the frames that at least one queue holds: their bytes, and 256 for each. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A queue takes `frame`. */
  hold(frame: SharedFrame): void {
    if (frame.holders++ === 0) this.#bytes += frame.length + FRAME_OVERHEAD_BYTES;
  }

  /** A queue is done with `frame`. */
  release(frame: SharedFrame): void {
    if (--frame.holders === 0) this.#bytes -= frame.length + FRAME_OVERHEAD_BYTES;
  }
}
