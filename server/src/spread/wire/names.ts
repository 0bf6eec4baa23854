import type { SpreadCodeName } from './codes.js';
import { MAX_GROUP_NAME, MAX_PRIVATE_NAME, MAX_PROC_NAME } from './constants.js';
import { WireError } from './wire-error.js';

/**
 * Names are bytes without an encoding. Here they are strings whose code points U+0000..U+00FF are those bytes
 * (Latin-1), compared by code point. Legal bytes of names that we send are 0x24 `$` .. 0x7e `~`: so no `#`, `"`,
 * `!`, space, control or non-ASCII byte. Received names can have any bytes, because a daemon does not check group
 * names.
 */
const FIRST_LEGAL = 0x24;
const LAST_LEGAL = 0x7e;
const HASH = 0x23;
/** Longer names are truncated in messages. */
const MAX_SHOWN = 40;
const LEGAL_BYTES = "bytes 0x24 '$' to 0x7e '~'";

/** Index of the first illegal character from `start` to before `end`, or -1. */
function illegalAt(name: string, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const c = name.charCodeAt(i);
    if (c < FIRST_LEGAL || c > LAST_LEGAL) return i;
  }
  return -1;
}

function describe(name: string, index: number): string {
  const code = name.charCodeAt(index);
  const shown = code > 0x20 && code < 0x7f ? ` '${name[index]}'` : '';
  return `0x${code.toString(16).padStart(2, '0')}${shown}`;
}

/**
 * A name for an error message: quoted, without bytes that control a terminal, and truncated when it is very long.
 */
function quoted(name: string): string {
  const shown = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name;
  return JSON.stringify(shown).replace(
    /[^\x20-\x7e…]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function checkName(name: string, field: string, code: SpreadCodeName, max: number, min: number): void {
  const named = `${field} ${quoted(name)}`;
  if (name.length < min || name.length > max) {
    const expected = min === 0 ? `at most ${max} bytes` : `${min} to ${max} bytes`;
    throw new WireError(
      code,
      field,
      `${named} has ${name.length} bytes; it must have ${expected}`,
      `${min}..${max} bytes`,
    );
  }
  const index = illegalAt(name, 0, name.length);
  if (index >= 0) {
    throw new WireError(
      code,
      field,
      `${named} has the illegal byte ${describe(name, index)} at position ${index}; allowed are ${LEGAL_BYTES}`,
      LEGAL_BYTES,
    );
  }
}

/**
 * Rejects a private name that a daemon would reject: longer than 10 bytes, or with a byte outside 0x24..0x7e
 * (Spread 5.0.1, transcript 06-handshake-name-characters). The empty name means "the daemon generates one" and is
 * allowed unless `allowEmpty` is false. Throws WireError REJECT_ILLEGAL_NAME.
 */
export function checkPrivateName(name: string, options: { allowEmpty?: boolean; field?: string } = {}): void {
  const min = (options.allowEmpty ?? true) ? 0 : 1;
  checkName(name, options.field ?? 'private_name', 'REJECT_ILLEGAL_NAME', MAX_PRIVATE_NAME, min);
}

/** Rejects a daemon name that is not 1..19 legal bytes. Throws WireError ILLEGAL_SPREAD. */
export function checkDaemonName(name: string, field = 'daemon_name'): void {
  checkName(name, field, 'ILLEGAL_SPREAD', MAX_PROC_NAME - 1, 1);
}

/**
 * Rejects a group name that Spread's own library rejects for join or leave: not 1..31 bytes of 0x24..0x7e. Throws
 * WireError ILLEGAL_GROUP.
 */
export function checkGroupName(name: string, field = 'group'): void {
  checkName(name, field, 'ILLEGAL_GROUP', MAX_GROUP_NAME - 1, 1);
}

/**
 * Rejects a destination without possible receivers: neither a legal group name nor a well-formed private group
 * `#name#daemon`. Throws WireError ILLEGAL_GROUP.
 */
export function checkDestination(name: string, field = 'group'): void {
  if (name.charCodeAt(0) !== HASH) {
    checkGroupName(name, field);
    return;
  }
  if (parsePrivateGroup(name) !== undefined) return;
  const bound = '#name#daemon: name of 1 to 10 bytes, daemon of 1 to 19 bytes';
  throw new WireError(
    'ILLEGAL_GROUP',
    field,
    `${field} ${quoted(name)} is not a private group; the form is ${bound}, ${LEGAL_BYTES}`,
    bound,
  );
}

/**
 * The parts of a private group `#name#daemon`. Undefined when it is not well-formed (1..10 and 1..19 legal bytes).
 */
export function parsePrivateGroup(group: string): { name: string; daemon: string } | undefined {
  if (group.charCodeAt(0) !== HASH) return undefined;
  const second = group.indexOf('#', 1);
  if (second < 2 || second > 1 + MAX_PRIVATE_NAME) return undefined;
  const daemonLength = group.length - second - 1;
  if (daemonLength < 1 || daemonLength > MAX_PROC_NAME - 1) return undefined;
  if (illegalAt(group, 1, second) >= 0 || illegalAt(group, second + 1, group.length) >= 0) return undefined;
  return { name: group.slice(1, second), daemon: group.slice(second + 1) };
}

/** `#name#daemon`. The parts are not checked. */
export function privateGroupOf(name: string, daemon: string): string {
  return `#${name}#${daemon}`;
}

/** Writes `name` into the 32-byte field at `offset`, NUL padded. Truncates a longer name. */
export function writeName(buffer: Buffer, offset: number, name: string): void {
  const written = buffer.write(name, offset, MAX_GROUP_NAME, 'latin1');
  buffer.fill(0, offset + written, offset + MAX_GROUP_NAME);
}

/**
 * Recently read names, by a hash of their bytes: the same few senders and groups occur again and again, and a
 * comparison is cheaper than a new string. A fixed number of short strings, whatever arrives.
 */
const KNOWN_NAMES = 512;
const known = new Array<string>(KNOWN_NAMES).fill('');

/** The name in the 32-byte field at `offset`: up to the first NUL, or all 32 bytes when there is none. */
export function readName(buffer: Buffer, offset: number): string {
  const limit = Math.min(offset + MAX_GROUP_NAME, buffer.length);
  let end = offset;
  let hash = 0;
  for (; end < limit; end++) {
    const byte = buffer[end] as number;
    if (byte === 0) break;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const slot = hash & (KNOWN_NAMES - 1);
  const candidate = known[slot] as string;
  if (isNameAt(buffer, offset, end, candidate)) return candidate;
  const name = buffer.toString('latin1', offset, end);
  known[slot] = name;
  return name;
}

function isNameAt(buffer: Buffer, start: number, end: number, name: string): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) !== buffer[start + i]) return false;
  return true;
}

/** `count` names from `offset` on. The caller has checked that they exist. */
export function readNames(buffer: Buffer, offset: number, count: number): string[] {
  const names = new Array<string>(count);
  for (let i = 0; i < count; i++) names[i] = readName(buffer, offset + i * MAX_GROUP_NAME);
  return names;
}
