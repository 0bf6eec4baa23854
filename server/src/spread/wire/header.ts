import { isMarked, readSignedWord, readWord, withMarker, withoutMarker, writeWord } from './byte-order.js';
import { HEADER_SIZE, MAX_GROUP_NAME } from './constants.js';
import { readName, writeName } from './names.js';

// off size field
//   0    4 type           marker + service, command or membership bits
//   4   32 private_group  from a client: its own; to a client: the sender, or the group of a membership message
//  36    4 num_groups     signed
//  40    4 hint           message type in bits 8..23, with a marker of its own
//  44    4 data_len       signed, without the groups
const TYPE = 0;
const PRIVATE_GROUP = 4;
const NUM_GROUPS = TYPE + 4 + MAX_GROUP_NAME;
const HINT = NUM_GROUPS + 4;
const DATA_LEN = HINT + 4;

/**
 * The 48 bytes before each message, as numbers. Counts are as announced: a decoder checks them, this type does
 * not.
 */
export interface Header {
  /** Type bits without the marker, unsigned. */
  type: number;
  /** Up to the first NUL of the field; Latin-1. */
  privateGroup: string;
  /** Signed: a hostile peer may announce a negative number. */
  numGroups: number;
  /** The unchanged hint, read as an unsigned little-endian word. Daemons that forward it must not change it. */
  hint: number;
  /** The application's number in the hint, -32768..32767. */
  messageType: number;
  /**
   * True when the hint (so the payload too) was written on a machine with the other byte order than ours (little).
   */
  endianMismatch: boolean;
  /** Payload bytes without groups, signed. */
  dataLength: number;
  /** Byte order of type, counts and (in membership messages) of the words in the body. */
  littleEndian: boolean;
}

/** The inputs of a header. */
export interface HeaderFields {
  /** Type bits. The marker is added. */
  type: number;
  privateGroup: string;
  numGroups: number;
  /** -32768..32767; default 0. */
  messageType?: number;
  dataLength: number;
}

/** The message type in a hint word in its writer's order: bits 8..23, sign-extended. */
export function messageTypeOf(hint: number): number {
  return (hint << 8) >> 16;
}

/** A little-endian hint with `messageType`, unsigned. */
export function hintOf(messageType: number): number {
  return withMarker((messageType & 0xffff) << 8);
}

/**
 * Writes 48 bytes at `offset`, little-endian by default, without checks: the encoders of requests check their
 * values, and tests need malformed headers.
 */
export function encodeHeader(
  buffer: Buffer,
  offset: number,
  fields: HeaderFields,
  littleEndian = true,
): void {
  const hint = (fields.messageType ?? 0) << 8;
  const type = withoutMarker(fields.type);
  writeWord(buffer, offset + TYPE, littleEndian ? withMarker(type) : type, littleEndian);
  writeName(buffer, offset + PRIVATE_GROUP, fields.privateGroup);
  writeWord(buffer, offset + NUM_GROUPS, fields.numGroups, littleEndian);
  const typeBits = hint & 0x00ffff00;
  writeWord(buffer, offset + HINT, littleEndian ? withMarker(typeBits) : typeBits, littleEndian);
  writeWord(buffer, offset + DATA_LEN, fields.dataLength, littleEndian);
}

/** Writes only the data length into the little-endian header at `offset`. */
export function writeDataLength(buffer: Buffer, offset: number, dataLength: number): void {
  writeWord(buffer, offset + DATA_LEN, dataLength, true);
}

/**
 * Reads the 48 bytes at `offset`, of either byte order. The marker of `type` determines the order of the counts
 * too. The hint has its own marker, because a daemon forwards it unchanged (Spread 5.0.1, transcript
 * 55-big-endian-client).
 */
export function decodeHeader(buffer: Buffer, offset = 0): Header {
  if (buffer.length - offset < HEADER_SIZE) throw new RangeError(`a header has ${HEADER_SIZE} bytes`);
  const littleEndian = isMarked(buffer.readInt32LE(offset + TYPE));
  const hint = buffer.readUInt32LE(offset + HINT);
  const hintLittleEndian = isMarked(hint);
  return {
    type: withoutMarker(readWord(buffer, offset + TYPE, littleEndian)),
    privateGroup: readName(buffer, offset + PRIVATE_GROUP),
    numGroups: readSignedWord(buffer, offset + NUM_GROUPS, littleEndian),
    hint,
    messageType: messageTypeOf(hintLittleEndian ? hint : buffer.readUInt32BE(offset + HINT)),
    endianMismatch: !hintLittleEndian,
    dataLength: readSignedWord(buffer, offset + DATA_LEN, littleEndian),
    littleEndian,
  };
}
