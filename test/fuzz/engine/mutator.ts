import type { Random } from '../../chaos/random.js';
import type { Input } from './input.js';

/** The material of a mutator. */
export interface Material {
  /** Valid inputs, at least one. */
  readonly seeds: readonly Input[];
  /** Meaningful pieces for the target: keywords, field headers, unusual characters. */
  readonly words: readonly Buffer[];
  /** Limits for mutations that make an input larger. */
  readonly maxPieces: number;
  readonly maxPieceBytes: number;
}

type ByteMove = (bytes: Buffer, random: Random, material: Material) => Buffer;
type PieceMove = (pieces: Buffer[], random: Random, material: Material) => void;

/** Numbers at or near the limits of the parsers. */
const INTEGERS = [
  0, 1, 2, 7, 8, 15, 16, 31, 32, 33, 47, 48, 63, 64, 80, 99, 100, 101, 126, 127, 128, 129, 143, 144, 254, 255,
  256, 257, 511, 512, 1023, 1024, 4095, 4096, 9999, 16_383, 16_384, 32_767, 32_768, 65_535, 65_536, 143_151,
  143_152, 143_153, 143_952, 143_953, 144_000, 144_001, 0xff_ffff, 0x100_0000, 0x7fff_ffff, 0x8000_0000,
  0x8000_0080, 0xffff_fff0, 0xffff_ffff,
];

/** A new input: a seed with one to eight mutations. Rarely an unchanged seed or random bytes. */
export function mutate(random: Random, material: Material): Buffer[] {
  const { seeds, maxPieces, maxPieceBytes } = material;
  const kind = random.next();
  if (kind < 0.01) return [noise(random, 200)];
  let pieces: Buffer[] = [...random.pick(seeds)];
  if (kind < 0.03) return pieces;
  const moves = 1 + Math.floor(random.next() ** 3 * 8);
  for (let i = 0; i < moves; i++) {
    if (pieces.length === 0 || random.chance(0.2)) random.pick(PIECE_MOVES)(pieces, random, material);
    else {
      const at = random.int(0, pieces.length - 1);
      pieces[at] = random.pick(BYTE_MOVES)(pieces[at]!, random, material);
    }
  }
  if (pieces.length > maxPieces) pieces = pieces.slice(0, maxPieces);
  return pieces.map((piece) => (piece.length > maxPieceBytes ? piece.subarray(0, maxPieceBytes) : piece));
}

function noise(random: Random, most: number): Buffer {
  const bytes = Buffer.alloc(random.int(0, most));
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.int(0, 255);
  return bytes;
}

/** A copy with `change` applied. Empty bytes stay unchanged. */
function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

/** A range of `bytes`, mostly short. */
function range(bytes: Buffer, random: Random): [number, number] {
  const start = random.int(0, bytes.length);
  const length = Math.floor(random.next() ** 3 * (bytes.length - start + 1));
  return [start, Math.min(bytes.length, start + Math.max(1, length))];
}

function insert(bytes: Buffer, at: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

const flipBit: ByteMove = (bytes, random) =>
  changed(bytes, (copy) => {
    const at = random.int(0, copy.length - 1);
    copy[at]! ^= 1 << random.int(0, 7);
  });

const setByte: ByteMove = (bytes, random) =>
  changed(bytes, (copy) => {
    copy[random.int(0, copy.length - 1)] = random.chance(0.5)
      ? random.pick(INTEGERS) & 0xff
      : random.int(0, 255);
  });

const setInteger: ByteMove = (bytes, random) =>
  changed(bytes, (copy) => {
    const width = Math.min(random.pick([1, 2, 3, 4]), copy.length);
    // Fields are mostly aligned.
    const place = random.int(0, copy.length - width);
    const at = random.chance(0.5) ? place & ~3 : place;
    const value = random.pick(INTEGERS) % 2 ** (8 * width);
    if (random.chance(0.5)) copy.writeUIntBE(value, at, width);
    else copy.writeUIntLE(value, at, width);
  });

/** Finds a number that may be the length of the following bytes, and changes it. */
const editLength: ByteMove = (bytes, random) =>
  changed(bytes, (copy) => {
    for (let tries = 0; tries < 8; tries++) {
      const width = Math.min(random.pick([1, 2, 3, 4]), copy.length);
      const at = random.int(0, copy.length - width);
      const little = random.chance(0.5);
      const value = little ? copy.readUIntLE(at, width) : copy.readUIntBE(at, width);
      if (value === 0 || value > copy.length) continue;
      const most = 2 ** (8 * width) - 1;
      const next = Math.min(
        most,
        Math.max(0, random.pick([value - 1, value + 1, value * 2, value >> 1, copy.length, most, 0])),
      );
      if (little) copy.writeUIntLE(next, at, width);
      else copy.writeUIntBE(next, at, width);
      return;
    }
  });

const addToByte: ByteMove = (bytes, random) =>
  changed(bytes, (copy) => {
    const at = random.int(0, copy.length - 1);
    copy[at] = (copy[at]! + random.int(-8, 8)) & 0xff;
  });

const fillRange: ByteMove = (bytes, random) =>
  changed(bytes, (copy) => {
    const [start, end] = range(copy, random);
    copy.fill(random.pick([0, 0xff, 0x80, 0x20, 0x41]), start, end);
  });

const truncate: ByteMove = (bytes, random) => bytes.subarray(0, random.int(0, bytes.length));

const cutOut: ByteMove = (bytes, random) => {
  const [start, end] = range(bytes, random);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
};

const repeatChunk: ByteMove = (bytes, random, { maxPieceBytes }) => {
  const [start, end] = range(bytes, random);
  if (end <= start) return bytes;
  const times = random.chance(0.1) ? random.int(10, 300) : random.int(1, 4);
  const room = Math.max(0, Math.floor((maxPieceBytes - bytes.length) / (end - start)));
  const chunk = bytes.subarray(start, end);
  return insert(bytes, end, Buffer.concat(Array.from({ length: Math.min(times, room) }, () => chunk)));
};

const insertNoise: ByteMove = (bytes, random) =>
  insert(bytes, random.int(0, bytes.length), noise(random, 16));

const insertWord: ByteMove = (bytes, random, { words }) =>
  words.length === 0 ? bytes : insert(bytes, random.int(0, bytes.length), random.pick(words));

const overwriteWithWord: ByteMove = (bytes, random, { words }) =>
  words.length === 0
    ? bytes
    : changed(bytes, (copy) => {
        random.pick(words).copy(copy, random.int(0, copy.length - 1));
      });

/** Joins the beginning of this piece and the end of another. */
const splice: ByteMove = (bytes, random, material) => {
  const other = anyPiece(random, material);
  return Buffer.concat([
    bytes.subarray(0, random.int(0, bytes.length)),
    other.subarray(random.int(0, other.length)),
  ]);
};

const insertFromOther: ByteMove = (bytes, random, material) => {
  const other = anyPiece(random, material);
  const [start, end] = range(other, random);
  return insert(bytes, random.int(0, bytes.length), other.subarray(start, end));
};

function anyPiece(random: Random, { seeds }: Material): Buffer {
  const seed = random.pick(seeds);
  return seed.length === 0 ? Buffer.alloc(0) : random.pick(seed);
}

const BYTE_MOVES: readonly ByteMove[] = [
  flipBit,
  flipBit,
  setByte,
  setInteger,
  setInteger,
  editLength,
  editLength,
  addToByte,
  fillRange,
  truncate,
  cutOut,
  repeatChunk,
  insertNoise,
  insertWord,
  overwriteWithWord,
  splice,
  insertFromOther,
];

const PIECE_MOVES: readonly PieceMove[] = [
  function drop(pieces, random) {
    pieces.splice(random.int(0, pieces.length - 1), 1);
  },
  function double(pieces, random, { maxPieces }) {
    if (pieces.length === 0) return;
    const at = random.int(0, pieces.length - 1);
    const times = random.chance(0.05) ? Math.min(random.int(2, 50), maxPieces) : 1;
    pieces.splice(at, 0, ...Array.from({ length: times }, () => pieces[at]!));
  },
  function swap(pieces, random) {
    if (pieces.length < 2) return;
    const [a, b] = [random.int(0, pieces.length - 1), random.int(0, pieces.length - 1)];
    [pieces[a], pieces[b]] = [pieces[b]!, pieces[a]!];
  },
  function borrow(pieces, random, material) {
    pieces.splice(random.int(0, pieces.length), 0, anyPiece(random, material));
  },
  function cut(pieces, random) {
    if (pieces.length === 0) return;
    const at = random.int(0, pieces.length - 1);
    const piece = pieces[at]!;
    const place = random.int(0, piece.length);
    pieces.splice(at, 1, piece.subarray(0, place), piece.subarray(place));
  },
  function join(pieces, random) {
    if (pieces.length < 2) return;
    const at = random.int(0, pieces.length - 2);
    pieces.splice(at, 2, Buffer.concat([pieces[at]!, pieces[at + 1]!]));
  },
  function end(pieces, random) {
    pieces.length = random.int(0, pieces.length);
  },
  function continueAsOther(pieces, random, { seeds }) {
    const other = random.pick(seeds);
    const start = random.int(0, other.length);
    pieces.splice(random.int(0, pieces.length), pieces.length, ...other.slice(start));
  },
];
