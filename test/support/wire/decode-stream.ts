import {
  decodeMessage,
  FrameDecoder,
  type FrameLimits,
  type Message,
} from '../../../server/src/spread/wire/index.js';

/** The result of decoding a stream in a client. */
export interface DecodedStream {
  messages: Message[];
  /** Number of bytes of an incomplete frame. */
  left: number;
  /** Number of bytes that the decoder copied. */
  copied: number;
}

/** Decodes `stream` as a client does, split before each of `cuts` (ascending offsets). */
export function decodeStream(
  stream: Buffer,
  cuts: Iterable<number> = [],
  limits?: FrameLimits,
): DecodedStream {
  const messages: Message[] = [];
  const decoder = new FrameDecoder({ role: 'client', limits }, (frame) =>
    messages.push(decodeMessage(frame)),
  );
  let start = 0;
  for (const cut of cuts) {
    decoder.push(stream.subarray(start, cut));
    start = cut;
  }
  decoder.push(stream.subarray(start));
  return { messages, left: decoder.bufferedBytes, copied: decoder.bytesCopied };
}

/** A split before every byte. */
export function everyByte(stream: Buffer): Iterable<number> {
  return (function* () {
    for (let i = 1; i < stream.length; i++) yield i;
  })();
}

/** About `count` splits at positions that depend only on `seed`. */
export function randomCuts(stream: Buffer, count: number, seed: number): number[] {
  let state = seed >>> 0 || 1;
  const places = Array.from({ length: count }, () => {
    // xorshift32: sufficient for positions, and the same in each run
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % (stream.length + 1);
  });
  return places.sort((a, b) => a - b);
}
