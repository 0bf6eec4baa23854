import { ENDIAN_RESERVED } from './constants.js';

/**
 * Each `type` and `hint` word has the byte order of its writer: marker bits that are all set in the writer's own
 * order mean little-endian. The marker is symmetric under a byte swap, so it can be tested before the order is
 * known. This library always writes little-endian, on every machine, and calls a word of the other order foreign.
 */

/** The marker as the signed number that bit operations return. */
const MARKER = ENDIAN_RESERVED | 0;

/** True when `word` (read in either order) was written by a little-endian machine. */
export function isMarked(word: number): boolean {
  return (word & MARKER) === MARKER;
}

/** `word` with the little-endian marker, as an unsigned number. */
export function withMarker(word: number): number {
  return (word | MARKER) >>> 0;
}

/** `word` without its marker, as an unsigned number. */
export function withoutMarker(word: number): number {
  return (word & ~MARKER) >>> 0;
}

/** The unsigned 32-bit word at `offset`. */
export function readWord(buffer: Buffer, offset: number, littleEndian: boolean): number {
  return littleEndian ? buffer.readUInt32LE(offset) : buffer.readUInt32BE(offset);
}

/** The signed 32-bit word at `offset`. */
export function readSignedWord(buffer: Buffer, offset: number, littleEndian: boolean): number {
  return littleEndian ? buffer.readInt32LE(offset) : buffer.readInt32BE(offset);
}

/** Writes the low 32 bits of `word`, signed or not. */
export function writeWord(buffer: Buffer, offset: number, word: number, littleEndian: boolean): void {
  if (littleEndian) buffer.writeInt32LE(word | 0, offset);
  else buffer.writeInt32BE(word | 0, offset);
}
