import { writeWord } from '../byte-order.js';
import {
  CAUSE_BITS,
  CAUSED_BY_LEAVE,
  GROUP_ID_SIZE,
  HEADER_SIZE,
  MAX_GROUP_NAME,
  REG_MEMB_MESS,
  TRANSITION_MESS,
  VIEW_PREFIX_SIZE,
  type ViewCause,
} from '../constants.js';
import { encodeHeader } from '../header.js';
import { writeName } from '../names.js';
import { type GroupId, writeGroupId } from './group-id.js';

/** The inputs of a view frame. */
export interface ViewFields {
  group: string;
  groupId: GroupId;
  cause: ViewCause;
  /** All members after the change, in the order for receivers. */
  members: readonly string[];
  vsSets: readonly (readonly string[])[];
  /** Index in `vsSets` of the receiver's set. Default: 0. */
  ownSetIndex?: number;
}

/** Little-endian by default. Big-endian daemons exist only in tests. */
export interface ByteOrderOption {
  bigEndian?: boolean;
}

/** A complete view frame, as a daemon sends it. */
export function encodeView(view: ViewFields, options: ByteOrderOption = {}): Buffer {
  const littleEndian = options.bigEndian !== true;
  const own = view.ownSetIndex ?? 0;
  const sizes = view.vsSets.map((set) => 4 + MAX_GROUP_NAME * set.length);
  const dataLength = VIEW_PREFIX_SIZE + sum(sizes);
  const start = HEADER_SIZE + MAX_GROUP_NAME * view.members.length;
  const frame = Buffer.allocUnsafe(start + dataLength);
  encodeHeader(
    frame,
    0,
    {
      type: REG_MEMB_MESS | CAUSE_BITS[view.cause],
      privateGroup: view.group,
      numGroups: view.members.length,
      dataLength,
    },
    littleEndian,
  );
  let offset = HEADER_SIZE;
  for (const member of view.members) {
    writeName(frame, offset, member);
    offset += MAX_GROUP_NAME;
  }
  writeGroupId(frame, start, view.groupId, littleEndian);
  writeWord(frame, start + 12, view.vsSets.length, littleEndian);
  writeWord(frame, start + 16, sum(sizes.slice(0, own)), littleEndian);
  offset = start + VIEW_PREFIX_SIZE;
  for (const set of view.vsSets) {
    writeWord(frame, offset, set.length, littleEndian);
    offset += 4;
    for (const member of set) {
      writeName(frame, offset, member);
      offset += MAX_GROUP_NAME;
    }
  }
  return frame;
}

/** The self-leave, the frame that confirms a session's own leave: only a header. */
export function encodeSelfLeave(group: string, options: ByteOrderOption = {}): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_SIZE);
  const fields = { type: CAUSED_BY_LEAVE, privateGroup: group, numGroups: 0, dataLength: 0 };
  encodeHeader(frame, 0, fields, options.bigEndian !== true);
  return frame;
}

/** A transitional signal: header and the ID of the view that ends. */
export function encodeTransition(group: string, oldId: GroupId, options: ByteOrderOption = {}): Buffer {
  const littleEndian = options.bigEndian !== true;
  const frame = Buffer.allocUnsafe(HEADER_SIZE + GROUP_ID_SIZE);
  const fields = { type: TRANSITION_MESS, privateGroup: group, numGroups: 0, dataLength: GROUP_ID_SIZE };
  encodeHeader(frame, 0, fields, littleEndian);
  writeGroupId(frame, HEADER_SIZE, oldId, littleEndian);
  return frame;
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
