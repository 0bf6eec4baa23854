// Targets with planted defects. The oracles must find each.
import {
  decodeMessage,
  FrameDecoder,
  type Message,
  WireError,
} from '../../../server/src/spread/wire/index.js';
import type { Subject, Target } from '../engine/target.js';
import { clientFrames, type DecodeFrames } from '../targets/frames.js';

const material = {
  seeds: [[Buffer.from('a frame of some length')]],
  words: [Buffer.from('aaaaaaaaaaaaaaaa')],
  maxPieces: 8,
  maxPieceBytes: 1000,
};

const planted = (name: string, subject: Omit<Subject, 'material'>, more: Partial<Target> = {}): Target => ({
  name,
  text: '',
  kind: 'pure',
  chunk: 100,
  lanes: 1,
  ...more,
  open: () => ({ material, ...subject }),
});

const contains = (input: readonly Buffer[], byte: number) => input.some((piece) => piece.includes(byte));

/** Dereferences undefined for some frames. */
const throwsTypeError: DecodeFrames = (pieces) => {
  const messages: Message[] = [];
  const decoder = new FrameDecoder({ role: 'client' }, (frame) => {
    if (frame.header.type & 0x40) (undefined as unknown as Buffer).readInt32LE(0);
    messages.push(decodeMessage(frame));
  });
  return read(decoder, pieces, messages);
};

/** Silently loses the frame that is split between two pieces. */
const swallows: DecodeFrames = (pieces) => {
  const messages: Message[] = [];
  for (const piece of pieces) {
    const decoder = new FrameDecoder({ role: 'client' }, (frame) => messages.push(decodeMessage(frame)));
    try {
      decoder.push(piece);
    } catch {}
  }
  return { messages, error: undefined };
};

function read(decoder: FrameDecoder, pieces: readonly Buffer[], messages: Message[]) {
  try {
    for (const piece of pieces) decoder.push(piece);
  } catch (error) {
    if (error instanceof WireError) return { messages, error };
    throw error;
  }
  return { messages, error: undefined };
}

export const typeError = clientFrames(throwsTypeError);
export const swallow = clientFrames(swallows);

/** Takes twice as long for each further character. */
export const slow = planted('planted-slow', {
  run: (input) =>
    /^(a|a)*$/.test(`${'a'.repeat(12)}${Buffer.concat(input).toString().slice(0, 12)}`) ? 'a' : 'b',
  generate: (random) => [Buffer.from('a'.repeat(random.int(0, 40)) + random.pick(['', '!']))],
});

/** Never resolves for some inputs. */
export const noEnd = planted('planted-no-end', {
  run: (input) => (contains(input, 0) ? new Promise<string>(() => {}) : Promise.resolve('answered')),
});

const kept: Buffer[] = [];

export const leak = planted('planted-leak', {
  run: (input) => {
    kept.push(Buffer.alloc(4096, input[0]?.[0] ?? 0));
    return 'read';
  },
  stop: async () => {
    kept.length = 0;
  },
});

/** The input itself succeeds, but later clients are not served any more. */
export function harm(): Target {
  let broken = false;
  return planted(
    'planted-harm',
    {
      run: async (input) => {
        if (contains(input, 0xff)) broken = true;
        return 'read';
      },
      settle: async () => {
        if (broken) throw new Error('the bystander got nothing');
      },
      stop: async () => {
        broken = false;
      },
    },
    { lanes: 4 },
  );
}

/** These targets end or block their process, so they need one of their own. */
export const DEADLY: readonly Target[] = [
  planted('planted-hang', {
    run: (input) => {
      while (contains(input, 0)) if (kept.length < 0) break;
      return 'read';
    },
  }),
  planted('planted-rejection', {
    run: async (input) => {
      if (contains(input, 0)) void Promise.reject(new TypeError('nobody waits for this'));
      return 'read';
    },
  }),
  planted('planted-exception', {
    run: async (input) => {
      if (contains(input, 0))
        setImmediate(() => {
          throw new TypeError('nobody catches this');
        });
      return 'read';
    },
  }),
];
