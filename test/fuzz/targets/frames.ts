import { isDeepStrictEqual } from 'node:util';
import { EventBatch } from 'spread-sidecar-proto';
import { toSpreadEvent } from '../../../clients/typescript/src/from-event.js';
import { checkHeader, INPUT_LIMITS } from '../../../server/src/daemon/header-check.js';
import { eventEncoder } from '../../../server/src/grpc/codec/event-encoder.js';
import {
  CLIENT_FRAME_LIMITS,
  decodeMessage,
  type Frame,
  FrameDecoder,
  HEADER_SIZE,
  type Message,
  OLD_TYPE_SIZE,
  WireError,
} from '../../../server/src/spread/wire/index.js';
import { type Input, sizeOf } from '../engine/input.js';
import { type Target, Violation } from '../engine/target.js';
import { recorded } from './recordings.js';

interface Decoded {
  readonly messages: Message[];
  readonly error: WireError | undefined;
}

/** Decodes a daemon's bytes as sessions do. */
export type DecodeFrames = (pieces: Input) => Decoded;

const decodeFrames: DecodeFrames = (pieces) => {
  const messages: Message[] = [];
  const decoder = new FrameDecoder({ role: 'client' }, (frame) => messages.push(decodeMessage(frame)));
  const error = pushAll(decoder, pieces, CLIENT_FRAME_LIMITS.maxBody);
  return { messages, error };
};

/** Bytes of a daemon → messages → events in the sidecar's queue → objects of the client. */
export function clientFrames(decode: DecodeFrames = decodeFrames): Target {
  return {
    name: 'client-frames',
    text: "a daemon's frames: decoder, messages, events that the sidecar encodes and the client decodes",
    kind: 'pure',
    chunk: 2000,
    lanes: 1,
    open: () => ({
      material: { seeds: recorded('recv', 'session'), words: [], maxPieces: 32, maxPieceBytes: 8192 },
      run: (input) => {
        const decoded = decode(input);
        const whole = decode([Buffer.concat(input)]);
        if (
          !isDeepStrictEqual(decoded.messages, whole.messages) ||
          decoded.error?.message !== whole.error?.message
        )
          throw new Violation('cut into pieces, the stream means something else');
        for (const message of decoded.messages) throughTheSidecar(message);
        if (decoded.error) return `${decoded.error.code} ${decoded.error.field}`;
        return decoded.messages.length > 0 ? 'messages' : 'incomplete';
      },
    }),
  };
}

/** Decodes a client's bytes as the embedded daemon does. */
export const daemonFrames: Target = {
  name: 'daemon-frames',
  text: "a client's frames: the embedded daemon's decoder and its check of headers",
  kind: 'pure',
  chunk: 2000,
  lanes: 1,
  open: () => ({
    material: { seeds: recorded('send', 'session'), words: [], maxPieces: 32, maxPieceBytes: 8192 },
    run: (input) => {
      const read = (pieces: Input) => {
        const frames: Pick<Frame, 'header' | 'headerBytes' | 'body'>[] = [];
        const decoder = new FrameDecoder(
          {
            role: 'daemon',
            limits: INPUT_LIMITS,
            validateHeader: (header) => checkHeader(header, header.privateGroup.slice(0, 31)),
          },
          ({ header, headerBytes, body }) => frames.push({ header, headerBytes, body }),
        );
        return { frames, error: pushAll(decoder, pieces, INPUT_LIMITS.maxBody) };
      };
      const { frames, error } = read(input);
      const whole = read([Buffer.concat(input)]);
      if (!isDeepStrictEqual(frames, whole.frames) || error?.message !== whole.error?.message)
        throw new Violation('cut into pieces, the stream means something else');
      return error ? `${error.code} ${error.field}` : frames.length > 0 ? 'frames' : 'incomplete';
    },
  }),
};

function pushAll(decoder: FrameDecoder, pieces: Input, maxBody: number): WireError | undefined {
  const error = firstError(decoder, pieces, maxBody);
  if (decoder.bytesCopied > sizeOf(pieces)) throw new Violation('more bytes were copied than came');
  return error;
}

function firstError(decoder: FrameDecoder, pieces: Input, maxBody: number): WireError | undefined {
  try {
    for (const piece of pieces) {
      decoder.push(piece);
      if (decoder.bufferedBytes > HEADER_SIZE + OLD_TYPE_SIZE + maxBody)
        throw new Violation(`the decoder holds ${decoder.bufferedBytes} bytes`);
    }
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  return undefined;
}

/** The space that the queue of a mailbox reserves for one event. */
class Space {
  buffer = Buffer.alloc(0);

  reserve(bytes: number): number {
    this.buffer = Buffer.alloc(bytes + 2, 0xee);
    return 1;
  }
}

/** As in a sidecar without headers, because the bytes of a daemon must arrive unchanged. */
const encodeEvent = eventEncoder('off');

function throughTheSidecar(message: Message): void {
  const space = new Space();
  encodeEvent(space, 7, 1_700_000_000_123, message, '#me#localhost');
  if (space.buffer[0] !== 0xee || space.buffer.at(-1) !== 0xee)
    throw new Violation('the encoder wrote beside its place');
  const { events } = EventBatch.decode(space.buffer.subarray(1, -1));
  const event = events.length === 1 ? toSpreadEvent(events[0]!) : undefined;
  if (event?.kind !== message.kind) throw new Violation(`a ${message.kind} arrives as ${event?.kind}`);
  if (event.sequence !== 7n) throw new Violation(`the sequence arrives as ${event.sequence}`);
  if ('payload' in event && 'payload' in message) {
    if (!event.payload.equals(message.payload)) throw new Violation('the payload arrives changed');
    if (!isDeepStrictEqual(event.groups, message.groups)) throw new Violation('the groups arrive changed');
  }
  if (event.kind === 'view' && message.kind === 'view' && !isDeepStrictEqual(event.members, message.members))
    throw new Violation('the members arrive changed');
}
