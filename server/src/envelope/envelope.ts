import { isUtf8 } from 'node:buffer';

/**
 * The envelope before the payload of a message with headers, which Spread does not have. docs/headers.md describes
 * each byte:
 *
 * - 7 bytes magic, and the version, which is 1
 * - length of the header block: 2 bytes, big-endian
 * - header block. For each header: length of the name (1 byte), name, length of the value (2 bytes, big-endian), value
 * - the payload
 */
const FIRST_BYTE = 0x89;
const MAGIC = Buffer.from([FIRST_BYTE, 0x53, 0x50, 0x53, 0x48, 0x0d, 0x0a]);
const VERSION = 1;
const BLOCK_LENGTH_AT = MAGIC.length + 1;

/** Position of the header block: size of an envelope without headers. */
export const HEADER_BLOCK_AT = BLOCK_LENGTH_AT + 2;
/** Limit of the header block. */
export const MAX_HEADER_BLOCK = 8192;
/** Bytes of a header in addition to its name and value. */
export const HEADER_OVERHEAD = 3;

const MAX_NAME = 64;
const NAME_PATTERN = /^[a-z0-9._-]{1,64}$/;
/** The characters of names, by code. */
const IS_NAME_BYTE = Uint8Array.from({ length: 256 }, (_, code) =>
  NAME_PATTERN.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Names and values. */
export type Headers = ReadonlyMap<string, string>;

/** The content of a message. */
export interface Content {
  readonly headers: Map<string, string>;
  readonly payload: Buffer;
}

/** Whether a header can have this name. */
export function isHeaderName(name: string): boolean {
  return NAME_PATTERN.test(name);
}

/** Whether the bytes begin with the magic of any version. Such a payload needs an envelope of its own. */
export function beginsLikeEnvelope(bytes: Uint8Array): boolean {
  // The first byte differs in almost all payloads.
  if (bytes[0] !== FIRST_BYTE || bytes.length < MAGIC.length) return false;
  for (let i = 1; i < MAGIC.length; i++) if (bytes[i] !== MAGIC[i]) return false;
  return true;
}

/**
 * The payload with an envelope before it, with the headers in the order of their names.
 *
 * @throws RangeError for a name that is not allowed, or headers beyond the limit. Callers check both before
 */
export function encodeEnvelope(headers: Headers, payload: Uint8Array): Buffer {
  const sorted = [...headers].sort(([a], [b]) => (a < b ? -1 : 1));
  let block = 0;
  for (const [name, value] of sorted) {
    if (!isHeaderName(name)) throw new RangeError('a header has a name that is not allowed');
    block += HEADER_OVERHEAD + name.length + Buffer.byteLength(value);
  }
  if (block > MAX_HEADER_BLOCK) throw new RangeError(`the headers have ${block} bytes`);
  const bytes = Buffer.allocUnsafe(HEADER_BLOCK_AT + block + payload.length);
  bytes.set(MAGIC);
  bytes[MAGIC.length] = VERSION;
  bytes.writeUInt16BE(block, BLOCK_LENGTH_AT);
  let at = HEADER_BLOCK_AT;
  for (const [name, value] of sorted) {
    bytes[at] = name.length;
    at += 1 + bytes.write(name, at + 1, 'latin1');
    const size = bytes.write(value, at + 2, 'utf8');
    bytes.writeUInt16BE(size, at);
    at += 2 + size;
  }
  bytes.set(payload, at);
  return bytes;
}

/**
 * Position of the payload behind a valid envelope. 0 for any other bytes, which are a payload without headers. The
 * header block is then from {@link HEADER_BLOCK_AT} to this position.
 */
export function payloadStart(bytes: Buffer): number {
  if (!beginsLikeEnvelope(bytes) || bytes.length < HEADER_BLOCK_AT || bytes[MAGIC.length] !== VERSION)
    return 0;
  const block = bytes.readUInt16BE(BLOCK_LENGTH_AT);
  const end = HEADER_BLOCK_AT + block;
  if (block > MAX_HEADER_BLOCK || end > bytes.length || !isHeaderBlock(bytes, end)) return 0;
  return end;
}

/** The headers and the payload of received bytes. Bytes without a valid envelope are the payload. */
export function openEnvelope(bytes: Buffer): Content {
  const end = payloadStart(bytes);
  const headers = new Map<string, string>();
  if (end === 0) return { headers, payload: bytes };
  for (let at = HEADER_BLOCK_AT; at < end; ) {
    const valueAt = at + HEADER_OVERHEAD + bytes[at]!;
    const next = valueAt + bytes.readUInt16BE(valueAt - 2);
    headers.set(bytes.toString('latin1', at + 1, valueAt - 2), bytes.toString('utf8', valueAt, next));
    at = next;
  }
  return { headers, payload: bytes.subarray(end) };
}

/** Whether the bytes up to `end` are headers with allowed and different names, and values in UTF-8. */
function isHeaderBlock(bytes: Buffer, end: number): boolean {
  let isAscending = true;
  let last = -1;
  for (let at = HEADER_BLOCK_AT; at < end; ) {
    const nameLength = bytes[at]!;
    const valueAt = at + HEADER_OVERHEAD + nameLength;
    if (nameLength === 0 || nameLength > MAX_NAME || valueAt > end) return false;
    for (let i = at + 1; i < valueAt - 2; i++) if (IS_NAME_BYTE[bytes[i]!] === 0) return false;
    const next = valueAt + bytes.readUInt16BE(valueAt - 2);
    if (next > end || !isUtf8(bytes.subarray(valueAt, next))) return false;
    isAscending &&= last < 0 || compareNames(bytes, last, at) < 0;
    last = at;
    at = next;
  }
  // The sidecar and most other writers sort names. Sorted names are different if neighbours are.
  return isAscending || hasDifferentNames(bytes, end);
}

/** Compares the names of the headers at two positions. */
function compareNames(bytes: Buffer, a: number, b: number): number {
  return bytes.compare(bytes, b + 1, b + 1 + bytes[b]!, a + 1, a + 1 + bytes[a]!);
}

function hasDifferentNames(bytes: Buffer, end: number): boolean {
  const names = new Set<string>();
  for (let at = HEADER_BLOCK_AT; at < end; ) {
    const valueAt = at + HEADER_OVERHEAD + bytes[at]!;
    const name = bytes.toString('latin1', at + 1, valueAt - 2);
    if (names.has(name)) return false;
    names.add(name);
    at = valueAt + bytes.readUInt16BE(valueAt - 2);
  }
  return true;
}
