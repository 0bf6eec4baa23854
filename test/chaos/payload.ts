import { crc32 } from 'node:zlib';

const MARK = 'chaos ';
const pattern = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

/** A payload that carries its message's id and fills `size` bytes, more if the id needs them. */
export function payloadOf(id: string, size: number): Buffer {
  const head = Buffer.from(`${MARK}${id}\n`, 'latin1');
  return size > head.length ? Buffer.concat([head, pattern.subarray(0, size - head.length)]) : head;
}

/** The id in a payload; undefined in somebody else's. */
export function idOf(payload: Buffer): string | undefined {
  const head = payload.toString('latin1', 0, 64);
  const end = head.indexOf('\n');
  return head.startsWith(MARK) && end > 0 ? head.slice(MARK.length, end) : undefined;
}

/** What is noted of a payload, so that a changed byte is found. */
export function measure(payload: Buffer): { bytes: number; sum: number } {
  return { bytes: payload.length, sum: crc32(payload) };
}
