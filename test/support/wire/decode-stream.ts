import {
  decodeMessage,
  FrameDecoder,
  type FrameLimits,
  type Message,
} from '../../../server/src/spread/wire/index.js';

/** What a client's decoder makes of a stream. */
export interface DecodedStream {
  messages: Message[];
  /** Bytes of a frame that never became complete. */
  left: number;
  /** Bytes that the decoder copied. */
  copied: number;
}

/** Decodes `stream` as a client does, cut before each of `cuts` (ascending offsets). */
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

/** A cut before every byte. */
export function everyByte(stream: Buffer): Iterable<number> {
  return (function* () {
    for (let i = 1; i < stream.length; i++) yield i;
  })();
}

/** About `count` cuts at places that depend on `seed` only. */
export function randomCuts(stream: Buffer, count: number, seed: number): number[] {
  let state = seed >>> 0 || 1;
  const places = Array.from({ length: count }, () => {
    // xorshift32: enough for places to cut at, and the same in each run
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % (stream.length + 1);
  });
  return places.sort((a, b) => a - b);
}
