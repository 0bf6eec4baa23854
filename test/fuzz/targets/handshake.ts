import { isDeepStrictEqual } from 'node:util';
import { Opening } from '../../../server/src/daemon/opening.js';
import {
  AcceptReader,
  AuthChoiceReader,
  AuthListReader,
  ConnectRequestReader,
  type IncrementalReader,
  WireError,
} from '../../../server/src/spread/wire/index.js';
import type { Input } from '../engine/input.js';
import { type Target, Violation } from '../engine/target.js';
import { recorded } from './recordings.js';

const READERS: readonly (() => IncrementalReader<unknown>)[] = [
  () => new AuthListReader(),
  () => new AcceptReader(),
  () => new ConnectRequestReader(),
  () => new AuthChoiceReader(),
];

/** The result of a reader: a value with the remaining bytes, or an error. */
interface Read {
  readonly value?: unknown;
  readonly rest?: Buffer;
  readonly error?: string;
}

/** The readers for both sides of the handshake, and the embedded daemon's opening. The first byte chooses. */
export const handshake: Target = {
  name: 'handshake',
  text: 'the handshake, both sides: auth list, accept, connect request, auth choice, opening',
  kind: 'pure',
  chunk: 5000,
  lanes: 1,
  open: () => {
    const seeds = [
      ...recorded('recv', 'handshake').flatMap((input) =>
        [0, 1].map((which) => [Buffer.from([which]), ...input]),
      ),
      ...recorded('recv', 'handshake').map((input) => [Buffer.from([1]), ...input.slice(1)]),
      ...recorded('send', 'handshake').flatMap((input) =>
        [2, 3, 4].map((which) => [Buffer.from([which]), ...input]),
      ),
    ];
    return {
      material: { seeds, words: [], maxPieces: 32, maxPieceBytes: 1024 },
      run: ([first = Buffer.alloc(0), ...pieces]) => {
        const which = (first[0] ?? 0) % (READERS.length + 1);
        const make = READERS[which];
        const read = make ? (bytes: Input) => readWith(make(), bytes) : open;
        const cut = read(pieces);
        if (!isDeepStrictEqual(cut, read([Buffer.concat(pieces)])))
          throw new Violation('cut into pieces, the handshake means something else');
        return `${which} ${cut.error ?? (cut.value === undefined ? 'incomplete' : 'read')}`;
      },
    };
  },
};

function readWith(reader: IncrementalReader<unknown>, pieces: Input): Read {
  const left = [...pieces];
  try {
    for (let piece = left.shift(); piece; piece = left.shift())
      if (reader.push(piece)) return { value: reader.value, rest: Buffer.concat([reader.rest, ...left]) };
  } catch (error) {
    if (error instanceof WireError) return { error: error.code };
    throw error;
  }
  return {};
}

/**
 * Reads like the daemon's connection. Bytes directly after a name cause a rejection, which depends on how the
 * bytes are split.
 */
function open(pieces: Input): Read {
  const opening = new Opening();
  const all = Buffer.concat(pieces);
  try {
    for (let at = 0; at <= all.length; at++) {
      let progress = opening.push(at === all.length ? Buffer.alloc(0) : all.subarray(at, at + 1));
      if (progress.kind === 'requested') progress = opening.push(Buffer.alloc(0));
      if (progress.kind === 'complete')
        return { value: progress.request, rest: Buffer.concat([progress.rest, all.subarray(at + 1)]) };
      if (at === all.length) break;
    }
    const code = opening.shortfall();
    return code === undefined ? {} : { error: code };
  } catch (error) {
    if (error instanceof WireError) return { error: error.code };
    throw error;
  }
}
