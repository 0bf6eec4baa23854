import { crc32 } from 'node:zlib';

const MARK = 'chaos ';
const pattern = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

/** A payload that contains its message's ID and has `size` bytes, or more if the ID needs them. */
export function payloadOf(id: string, size: number): Buffer {
  const head = Buffer.from(`${MARK}${id}\n`, 'latin1');
  return size > head.length ? Buffer.concat([head, pattern.subarray(0, size - head.length)]) : head;
}

/** The ID in a payload. Undefined for other payloads. */
export function idOf(payload: Buffer): string | undefined {
  const head = payload.toString('latin1', 0, 64);
  const end = head.indexOf('\n');
  return head.startsWith(MARK) && end > 0 ? head.slice(MARK.length, end) : undefined;
}

/** The recorded properties of a payload, with which a changed byte is found. */
export function measure(payload: Buffer): { bytes: number; sum: number } {
  return { bytes: payload.length, sum: crc32(payload) };
}
