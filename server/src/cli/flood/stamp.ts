import { STAMP_BYTES } from './flood-plan.js';

/** What a message of a flood says of itself. */
export interface Stamp {
  /** The sender's number, from 0. */
  readonly sender: number;
  /** The message's number, from 0. */
  readonly index: number;
  /** When it was, or should have been, sent; in ms of performance.now. */
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

/** Reads a message; undefined for one that is not of this flood. */
export function readStamp(run: bigint, message: Buffer): Stamp | undefined {
  if (message.length < STAMP_BYTES || message.readBigUInt64LE(0) !== run) return undefined;
  return {
    sender: message.readUInt32LE(8),
    index: message.readDoubleLE(16),
    sentAt: message.readDoubleLE(24),
  };
}
