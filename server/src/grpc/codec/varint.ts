// Varints of protobuf.

/** @param value a whole number from 0 to 2^53 - 1 */
export function sizeOfVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  if (value < 0x800000000) return 5;
  if (value < 0x40000000000) return 6;
  if (value < 0x2000000000000) return 7;
  return 8;
}

/** Writes a whole number from 0 to 2^53 - 1. Returns the position after it. */
export function writeVarint(buffer: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  // Bit operations use only 32 bits.
  while (rest > 0x7fffffff) {
    buffer[at++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest > 0x7f) {
    buffer[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[at++] = rest;
  return at;
}
