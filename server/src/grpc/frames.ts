import { ReceiveResponse } from '../gen/spread/sidecar/v1/mailbox_service.js';
import type { Batch } from '../mailbox/receiver.js';
import { buffers, SMALLEST_BYTES } from '../memory/buffer-pool.js';
import { sizeOfVarint, writeVarint } from './event-encoder.js';

/** ReceiveResponse.batch: field 2, length-delimited. */
const TAG_BATCH = (2 << 3) | 2;

/** A ReceiveResponse that is ready to leave. */
export type ReceiveFrame = Buffer;

/** A frame, and the memory that is to be given back to `buffers` when nobody reads the frame any more. */
export interface LentFrame {
  readonly frame: ReceiveFrame;
  readonly memory?: Buffer;
}

/**
 * The batch as a ReceiveResponse. Its events are encoded as elements of EventBatch.events already, and a
 * repeated field is its elements side by side: what is missing is one tag and one length.
 */
export function batchFrame(batch: Batch): LentFrame {
  const length = 1 + sizeOfVarint(batch.bytes) + batch.bytes;
  const lent = length >= SMALLEST_BYTES;
  const memory = lent ? buffers.take(length) : Buffer.allocUnsafe(length);
  memory[0] = TAG_BATCH;
  let at = writeVarint(memory, 1, batch.bytes);
  for (const part of batch.buffers) {
    memory.set(part, at);
    at += part.length;
  }
  return lent ? { frame: memory.subarray(0, length), memory } : { frame: memory };
}

/** Any other ReceiveResponse. */
export function frameOf(frame: NonNullable<ReceiveResponse['frame']>): ReceiveFrame {
  return Buffer.from(ReceiveResponse.encode({ frame }).finish());
}
