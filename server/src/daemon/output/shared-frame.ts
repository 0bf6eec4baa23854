import { type Frame, HEADER_SIZE, MAX_GROUP_NAME, withMarker, writeWord } from '../../spread/wire/index.js';

/** Bytes of one message, built once and queued for any number of receivers. */
export class SharedFrame {
  /** Number of queues with this frame, maintained by QueueBudget. */
  holders = 0;
  readonly length: number;

  constructor(readonly buffers: readonly Buffer[]) {
    this.length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  }
}

const TYPE = 0;
const END_OF_PRIVATE_GROUP = 4 + MAX_GROUP_NAME - 1;
const NUM_GROUPS = END_OF_PRIVATE_GROUP + 1;
const DATA_LEN = 44;

/**
 * The frame for the receivers of a client's message: the client's bytes with the type and counts of the header in
 * little-endian order, and NUL as the last byte of the private group. The hint is unchanged (Spread 5.0.1,
 * transcript 55-big-endian-client).
 */
export function relayedFrame(frame: Frame): SharedFrame {
  const { header, body } = frame;
  // A frame that waits for a slow receiver must not retain the large chunk in which it arrived, so its bytes are
  // copied. A body with its own memory is not copied again.
  const copied = body.buffer.byteLength > body.length;
  const bytes = Buffer.allocUnsafe(copied ? HEADER_SIZE + body.length : HEADER_SIZE);
  frame.headerBytes.copy(bytes);
  writeWord(bytes, TYPE, withMarker(header.type), true);
  bytes[END_OF_PRIVATE_GROUP] = 0;
  writeWord(bytes, NUM_GROUPS, header.numGroups, true);
  writeWord(bytes, DATA_LEN, header.dataLength, true);
  if (copied) body.copy(bytes, HEADER_SIZE);
  return new SharedFrame(copied || body.length === 0 ? [bytes] : [bytes, body]);
}
