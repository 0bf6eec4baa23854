import { TAG_ENTRY_KEY, TAG_ENTRY_VALUE } from 'spread-sidecar-proto';
import {
  beginsLikeEnvelope,
  encodeEnvelope,
  HEADER_BLOCK_AT,
  HEADER_OVERHEAD,
  type Headers,
  isHeaderName,
  MAX_HEADER_BLOCK,
} from '../../envelope/envelope.js';
import { EdgeError } from './edge-error.js';
import { sizeOfVarint, writeVarint } from './varint.js';

const NAME_BOUND = '1 to 64 characters of a-z 0-9 - _ .';
/** Longer names are truncated in error messages. */
const MAX_SHOWN_NAME = 40;

/** A message's headers as the sidecar's configuration treats them. */
export type HeaderMode = 'on' | 'off';

/**
 * The payload for the daemon: with an envelope if there are headers, or if the receiver would take the payload for an
 * envelope. Otherwise the payload itself.
 *
 * @throws EdgeError HEADER_NAME_INVALID, HEADERS_TOO_LARGE, HEADERS_OFF
 */
export function payloadWithHeaders(headers: Headers, payload: Buffer, mode: HeaderMode): Buffer {
  if (headers.size === 0 && (mode === 'off' || !beginsLikeEnvelope(payload))) return payload;
  if (mode === 'off') throw headersOff();
  checkHeaders(headers);
  return encodeEnvelope(headers, payload);
}

function checkHeaders(headers: Headers): void {
  let size = 0;
  for (const [name, value] of headers) {
    if (!isHeaderName(name)) throw illegalName(name);
    size += HEADER_OVERHEAD + name.length + Buffer.byteLength(value);
  }
  if (size <= MAX_HEADER_BLOCK) return;
  const bound = `0 to ${MAX_HEADER_BLOCK} bytes`;
  throw new EdgeError(
    'HEADERS_TOO_LARGE',
    `headers have ${size} bytes (names, values, and ${HEADER_OVERHEAD} bytes for each header); allowed: ${bound}`,
    { field: 'headers', bound },
  );
}

function illegalName(name: string): EdgeError {
  const shown = name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name;
  const quoted = JSON.stringify(shown).replace(
    /[^\x20-\x7e…]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const problem = name === '' ? 'is empty' : `is not allowed`;
  return new EdgeError('HEADER_NAME_INVALID', `header name ${quoted} ${problem}; allowed: ${NAME_BOUND}`, {
    field: `headers[${quoted}]`,
    bound: NAME_BOUND,
  });
}

function headersOff(): EdgeError {
  return new EdgeError(
    'HEADERS_OFF',
    'the message has headers, and this sidecar does not allow them (mailbox.headers is off); send it without headers',
    { field: 'headers' },
  );
}

// The header block of an envelope and a field `map<string, string>` of protobuf contain the same bytes with other
// lengths, so that a received envelope needs no strings.

/** Size of a field `headers` with the headers of an envelope, whose payload begins at `end`. */
export function headersFieldSize(envelope: Buffer, end: number): number {
  let size = 0;
  for (let at = HEADER_BLOCK_AT; at < end; ) {
    const nameLength = envelope[at]!;
    const valueLength = envelope.readUInt16BE(at + 1 + nameLength);
    const entry = entrySize(nameLength, valueLength);
    size += 1 + sizeOfVarint(entry) + entry;
    at += HEADER_OVERHEAD + nameLength + valueLength;
  }
  return size;
}

/** Writes the field. Returns the position after it. */
export function writeHeadersField(
  buffer: Uint8Array,
  start: number,
  tag: number,
  envelope: Buffer,
  end: number,
): number {
  let to = start;
  for (let at = HEADER_BLOCK_AT; at < end; ) {
    const nameLength = envelope[at]!;
    const valueLength = envelope.readUInt16BE(at + 1 + nameLength);
    const valueAt = at + HEADER_OVERHEAD + nameLength;
    buffer[to++] = tag;
    to = writeVarint(buffer, to, entrySize(nameLength, valueLength));
    to = writeBytes(buffer, to, TAG_ENTRY_KEY, envelope, at + 1, nameLength);
    if (valueLength > 0) to = writeBytes(buffer, to, TAG_ENTRY_VALUE, envelope, valueAt, valueLength);
    at = valueAt + valueLength;
  }
  return to;
}

function entrySize(nameLength: number, valueLength: number): number {
  const value = valueLength === 0 ? 0 : 1 + sizeOfVarint(valueLength) + valueLength;
  return 2 + nameLength + value;
}

function writeBytes(
  buffer: Uint8Array,
  start: number,
  tag: number,
  from: Buffer,
  at: number,
  length: number,
): number {
  buffer[start] = tag;
  const to = writeVarint(buffer, start + 1, length);
  for (let i = 0; i < length; i++) buffer[to + i] = from[at + i]!;
  return to + length;
}
