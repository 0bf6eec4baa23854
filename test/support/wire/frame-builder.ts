/**
 * Builds and reads Spread frames with plain numbers. It intentionally uses no code of server/src, so that it
 * cannot share mistakes with the decoder and the encoders.
 */

/** The fields of a frame. All but `type` have a default. */
export interface RawFrame {
  /** Type bits without marker. */
  type: number;
  privateGroup?: string;
  /** Default: the length of `groups`. */
  numGroups?: number;
  messageType?: number;
  /** The whole hint word, little-endian, instead of `messageType`. */
  hint?: number;
  /** Default: the length of `data`. */
  dataLength?: number;
  groups?: readonly string[];
  /** Word between header and groups in a reject frame. */
  oldType?: number;
  data?: Uint8Array;
  bigEndian?: boolean;
  /** Byte order of the hint when it differs from that of the frame. */
  bigEndianHint?: boolean;
}

function name32(name: string): Buffer {
  const field = Buffer.alloc(32);
  Buffer.from(name, 'latin1').copy(field);
  return field;
}

function word(value: number, bigEndian: boolean): Buffer {
  const bytes = [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
  return Buffer.from(bigEndian ? bytes.reverse() : bytes);
}

function marked(value: number, bigEndian: boolean): Buffer {
  return word(bigEndian ? value & 0x7fffff7f : value | 0x80000080, bigEndian);
}

/** The bytes of a frame. */
export function buildFrame(frame: RawFrame): Buffer {
  const big = frame.bigEndian ?? false;
  const bigHint = frame.bigEndianHint ?? big;
  const groups = frame.groups ?? [];
  const data = frame.data ?? Buffer.alloc(0);
  return Buffer.concat([
    marked(frame.type, big),
    name32(frame.privateGroup ?? ''),
    word(frame.numGroups ?? groups.length, big),
    frame.hint === undefined
      ? marked(((frame.messageType ?? 0) & 0xffff) * 256, bigHint)
      : word(frame.hint, false),
    word(frame.dataLength ?? data.length, big),
    ...(frame.oldType === undefined ? [] : [marked(frame.oldType, big)]),
    ...groups.map(name32),
    data,
  ]);
}

/** The content of a view's data. */
export interface RawView {
  groupId: readonly [number, number, number];
  vsSets: readonly (readonly string[])[];
  /** Default: the offset of the set `ownSetIndex`. */
  ownOffset?: number;
  ownSetIndex?: number;
  bigEndian?: boolean;
}

/** The data of a view. */
export function buildViewData(view: RawView): Buffer {
  const big = view.bigEndian ?? false;
  const sets = view.vsSets.map((set) => Buffer.concat([word(set.length, big), ...set.map(name32)]));
  const before = sets.slice(0, view.ownSetIndex ?? 0);
  const offset = view.ownOffset ?? before.reduce((sum, set) => sum + set.length, 0);
  return Buffer.concat([
    ...view.groupId.map((part) => word(part, big)),
    word(sets.length, big),
    word(offset, big),
    ...sets,
  ]);
}

/** The raw fields of a client's frame. */
export interface ReadFrame {
  type: number;
  privateGroup: string;
  groups: string[];
  messageType: number;
  data: Buffer;
  bytes: Buffer;
  bigEndian: boolean;
}

/** Reads the frame of a client at `offset`. Undefined if there is no complete frame. */
export function readClientFrame(bytes: Buffer, offset: number): ReadFrame | undefined {
  if (bytes.length - offset < 48) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset);
  const little = (bytes[offset]! & 0x80) !== 0;
  const count = view.getInt32(36, little);
  const length = view.getInt32(44, little);
  const end = 48 + 32 * count + length;
  if (count < 0 || length < 0 || end > view.byteLength) return undefined;
  const text = (start: number): string =>
    bytes.toString('latin1', offset + start, offset + start + 32).split('\0')[0]!;
  return {
    type: view.getUint32(0, little) & 0x7fffff7f,
    privateGroup: text(4),
    groups: Array.from({ length: count }, (_, i) => text(48 + 32 * i)),
    messageType: view.getInt16(41, little),
    data: bytes.subarray(offset + 48 + 32 * count, offset + end),
    bytes: bytes.subarray(offset, offset + end),
    bigEndian: !little,
  };
}
