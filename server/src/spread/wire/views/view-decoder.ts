import { readWord } from '../byte-order.js';
import { CAUSE_MASK, causeOfBits, MAX_GROUP_NAME, VIEW_PREFIX_SIZE } from '../constants.js';
import type { Frame } from '../frame-decoder.js';
import type { ViewMessage } from '../message-types.js';
import { readNames } from '../names.js';
import { WireError } from '../wire-error.js';
import { readGroupId } from './group-id.js';

// Body of a view, after the member names. Words are in the daemon's byte order:
// off size
//   0   12 group id
//  12    4 number of sets, 1 or more
//  16    4 offset of the receiver's own set, from byte 20 on
//  20   .. sets, each: count (4), count × 32 bytes of names
const NUMBER_OF_SETS = 12;
const OWN_SET_OFFSET = 16;

/** A set has at least its count word, so a body has no room for more sets than this. */
const SMALLEST_SET = 4;

/** The view in a REG_MEMB frame. Throws WireError ILLEGAL_MESSAGE when counts and lengths are inconsistent. */
export function decodeView(frame: Frame): ViewMessage {
  const { header, body } = frame;
  const cause = causeOfBits(header.type & CAUSE_MASK);
  if (cause === undefined) throw malformed('type', 'has not exactly one cause');
  const start = MAX_GROUP_NAME * header.numGroups;
  const length = body.length - start;
  if (length < VIEW_PREFIX_SIZE)
    throw malformed('data_len', `of ${length} has no room for its first 20 bytes`);
  const members = readNames(body, 0, header.numGroups);
  const { vsSets, ownSetIndex } = readSets(body, start, header.littleEndian);
  return {
    kind: 'view',
    group: header.privateGroup,
    groupId: readGroupId(body, start, header.littleEndian),
    cause,
    members,
    vsSets,
    ownSetIndex,
    changed: cause === 'NETWORK' ? without(members, vsSets[ownSetIndex] ?? []) : (vsSets[0] ?? []),
  };
}

function readSets(
  body: Buffer,
  start: number,
  littleEndian: boolean,
): { vsSets: string[][]; ownSetIndex: number } {
  const count = readWord(body, start + NUMBER_OF_SETS, littleEndian);
  const ownOffset = readWord(body, start + OWN_SET_OFFSET, littleEndian);
  const first = start + VIEW_PREFIX_SIZE;
  const room = body.length - first;
  if (count < 1) throw malformed('number of sets', `is ${count}, but must be at least 1`);
  if (count > room / SMALLEST_SET) {
    throw malformed('number of sets', `is ${count}, but only ${room} bytes follow`);
  }
  const vsSets: string[][] = [];
  let ownSetIndex = -1;
  let offset = first;
  for (let i = 0; i < count; i++) {
    if (offset - first === ownOffset) ownSetIndex = i;
    if (body.length - offset < SMALLEST_SET) throw malformed(`set ${i}`, 'starts after the end');
    const size = readWord(body, offset, littleEndian);
    offset += SMALLEST_SET;
    if (size > (body.length - offset) / MAX_GROUP_NAME) {
      throw malformed(`set ${i}`, `has ${size} members, but only ${body.length - offset} bytes follow`);
    }
    vsSets.push(readNames(body, offset, size));
    offset += size * MAX_GROUP_NAME;
  }
  if (offset !== body.length)
    throw malformed('data_len', `leaves ${body.length - offset} bytes after the last set`);
  if (ownSetIndex < 0) throw malformed('offset of the own set', `is ${ownOffset}; no set starts there`);
  return { vsSets, ownSetIndex };
}

function without(names: readonly string[], removed: readonly string[]): string[] {
  const excluded = new Set(removed);
  return names.filter((name) => !excluded.has(name));
}

function malformed(field: string, what: string): WireError {
  return new WireError('ILLEGAL_MESSAGE', field, `a view's ${field} ${what}`);
}
