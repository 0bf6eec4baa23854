import { ReceiveResponse } from '../gen/spread/sidecar/v1/mailbox_service.js';
import type { Batch } from '../mailbox/receiver.js';
import { buffers } from '../memory/buffer-pool.js';
import { sizeOfVarint, writeVarint } from './event-encoder.js';

/** ReceiveResponse.batch: field 2, length-delimited. */
const TAG_BATCH = (2 << 3) | 2;

/** A ReceiveResponse that is ready to leave. */
export type ReceiveFrame = Buffer;

/** A frame in memory that is to be given back to `buffers` when nobody reads the frame any more. */
export interface LentFrame {
  readonly frame: ReceiveFrame;
  readonly memory: Buffer;
}

/**
 * The batch as a ReceiveResponse. Its events are encoded as elements of EventBatch.events already, and a
 * repeated field is its elements side by side: what is missing is one tag and one length.
 */
export function batchFrame(batch: Batch): LentFrame {
  const length = 1 + sizeOfVarint(batch.bytes) + batch.bytes;
  const memory = buffers.take(length);
  memory[0] = TAG_BATCH;
  let at = writeVarint(memory, 1, batch.bytes);
  for (const part of batch.buffers) {
    memory.set(part, at);
    at += part.length;
  }
  return { frame: memory.subarray(0, length), memory };
}

/** Any other ReceiveResponse. */
export function frameOf(frame: NonNullable<ReceiveResponse['frame']>): ReceiveFrame {
  return Buffer.from(ReceiveResponse.encode({ frame }).finish());
}
