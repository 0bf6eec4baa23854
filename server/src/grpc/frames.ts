import { ReceiveResponse } from '../gen/spread/sidecar/v1/mailbox_service.js';
import type { Batch } from '../mailbox/receiver.js';
import { sizeOfVarint, writeVarint } from './event-encoder.js';

/** ReceiveResponse.batch: field 2, length-delimited. */
const TAG_BATCH = (2 << 3) | 2;

/** A ReceiveResponse that is ready to leave. */
export type ReceiveFrame = Buffer;

/**
 * The batch as a ReceiveResponse. Its events are encoded as elements of EventBatch.events already, and a
 * repeated field is its elements side by side: what is missing is one tag and one length.
 */
export function batchFrame(batch: Batch): ReceiveFrame {
  const headerBytes = 1 + sizeOfVarint(batch.bytes);
  const frame = Buffer.allocUnsafe(headerBytes + batch.bytes);
  frame[0] = TAG_BATCH;
  let at = writeVarint(frame, 1, batch.bytes);
  for (const part of batch.buffers) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** Any other ReceiveResponse. */
export function frameOf(frame: NonNullable<ReceiveResponse['frame']>): ReceiveFrame {
  return Buffer.from(ReceiveResponse.encode({ frame }).finish());
}
