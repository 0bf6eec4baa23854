import { STAMP_BYTES } from './flood-plan.js';

/** The stamp in a message of a flood. */
export interface Stamp {
  /** The sender's number, from 0. */
  readonly sender: number;
  /** The message's number, from 0. */
  readonly index: number;
  /** The time at which the message was sent or was due, in ms of performance.now. */
  readonly sentAt: number;
}

/** A message of a flood. `run` distinguishes its messages from other messages in the same group. */
export function stamped(run: bigint, stamp: Stamp, size: number): Buffer {
  const message = Buffer.alloc(Math.max(size, STAMP_BYTES));
  message.writeBigUInt64LE(run, 0);
  message.writeUInt32LE(stamp.sender, 8);
  message.writeDoubleLE(stamp.index, 16);
  message.writeDoubleLE(stamp.sentAt, 24);
  return message;
}

/** Parses a message. Undefined if the message does not belong to this flood. */
export function readStamp(run: bigint, message: Buffer): Stamp | undefined {
  if (message.length < STAMP_BYTES || message.readBigUInt64LE(0) !== run) return undefined;
  return {
    sender: message.readUInt32LE(8),
    index: message.readDoubleLE(16),
    sentAt: message.readDoubleLE(24),
  };
}
