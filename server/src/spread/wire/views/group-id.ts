import { readSignedWord, readWord, writeWord } from '../byte-order.js';

/**
 * Identifies one view of a group. It is equal at all members that got the view. Compare all three words. IDs have
 * no order, and can repeat when a group was empty in between (Spread 5.0.1, transcript 25-group-id-reuse).
 */
export interface GroupId {
  /** Daemon ID (unsigned), seconds since 1970 of the daemon membership (signed), number of changes (signed). */
  readonly words: readonly [number, number, number];
}

/** Reads 12 bytes. The caller has checked that they exist. */
export function readGroupId(buffer: Buffer, offset: number, littleEndian: boolean): GroupId {
  return {
    words: [
      readWord(buffer, offset, littleEndian),
      readSignedWord(buffer, offset + 4, littleEndian),
      readSignedWord(buffer, offset + 8, littleEndian),
    ],
  };
}

/** Writes 12 bytes. */
export function writeGroupId(buffer: Buffer, offset: number, id: GroupId, littleEndian: boolean): void {
  for (const [i, word] of id.words.entries()) writeWord(buffer, offset + 4 * i, word, littleEndian);
}

/** True when both identify the same view. */
export function sameGroupId(a: GroupId, b: GroupId): boolean {
  return a.words[0] === b.words[0] && a.words[1] === b.words[1] && a.words[2] === b.words[2];
}
