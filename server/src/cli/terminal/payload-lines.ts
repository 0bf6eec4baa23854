import { utf8 } from './event-json.js';
import { printable } from './event-text.js';
import { count } from './output.js';

/** How a payload is shown. `auto`: as text if it is UTF-8, else in hexadecimal. */
export const PAYLOAD_FORMS = ['auto', 'text', 'hex', 'both'] as const;
export type PayloadForm = (typeof PAYLOAD_FORMS)[number];

/** Bytes of one line in hexadecimal. */
const LINE_BYTES = 16;

/**
 * The lines of a payload, without control characters.
 *
 * @param maxBytes - only this number of bytes is shown, and a line names the number of the other bytes
 */
export function payloadLines(payload: Buffer, form: PayloadForm, maxBytes: number): string[] {
  const shown = payload.subarray(0, maxBytes);
  const more = payload.length - shown.length;
  const isText = utf8(payload) !== undefined;
  const lines: string[] = [];
  if (form === 'text' || form === 'both' || (form === 'auto' && isText)) lines.push(...textLines(shown));
  if (form === 'hex' || form === 'both' || (form === 'auto' && !isText)) lines.push(...hexLines(shown));
  if (more > 0) lines.push(`… and ${count(more, 'more byte')}`);
  return lines;
}

/** Bytes that are not UTF-8 become U+FFFD. */
function textLines(bytes: Buffer): string[] {
  if (bytes.length === 0) return [];
  return bytes
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => printable(line));
}

/** Offset, bytes and ASCII characters of each line, like `hexdump -C`. */
export function hexLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const part = bytes.subarray(at, at + LINE_BYTES);
    const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * LINE_BYTES - 1)}  |${ascii.join('')}|`);
  }
  return lines;
}
