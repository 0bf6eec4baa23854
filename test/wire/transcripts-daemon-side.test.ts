import { describe, expect, it } from 'vitest';
import { FrameDecoder, WireError } from '../../server/src/spread/wire/index.js';
import { everyByte, randomCuts } from '../support/wire/decode-stream.js';
import { readClientFrame } from '../support/wire/frame-builder.js';
import { bytesOf, clientRecordings, loadTranscript, transcriptNames } from '../support/wire/transcripts.js';

/** The result of a daemon's decoder for the bytes of a client. */
interface Outcome {
  frames: string[];
  /** The field that exceeded a limit. Undefined if none did. */
  refused: string | undefined;
  left: number;
}

function decodeRequests(stream: Buffer, cuts: Iterable<number> = []): Outcome {
  const frames: string[] = [];
  const decoder = new FrameDecoder({ role: 'daemon' }, ({ headerBytes, body }) => {
    frames.push(headerBytes.toString('hex') + body.toString('hex'));
  });
  let refused: string | undefined;
  try {
    let start = 0;
    for (const cut of [...cuts, stream.length]) {
      decoder.push(stream.subarray(start, cut));
      start = cut;
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    refused = error.field;
  }
  return { frames, refused, left: refused === undefined ? decoder.bufferedBytes : 0 };
}

/** Sessions that a daemon disconnects because of a count or a length in a header. */
const REFUSED: Record<string, string> = {
  '51 a': 'data_len + 32 * num_groups',
  '51 a2': 'data_len + 32 * num_groups',
  '54 a': 'num_groups',
  '63 l0': 'num_groups',
  '63 l1': 'num_groups',
  '63 l2': 'num_groups',
  '63 l3': 'data_len',
  '63 l4': 'data_len',
  '63 l5': 'data_len',
};

describe('the frames that a daemon reads of each recorded session', () => {
  for (const name of transcriptNames()) {
    const number = name.slice(0, 2);
    for (const client of clientRecordings(loadTranscript(name))) {
      const stream = bytesOf(client.session, 'send');
      // 68 repeats one message about a thousand times. Splitting a part of it is enough.
      const bytes = stream.subarray(0, 200_000);
      if (client.privateGroup === undefined || bytes.length === 0) continue;

      it(`${name}, client ${client.id}: the frames that were sent, for every split`, () => {
        const whole = decodeRequests(bytes);
        expect(whole.refused).toBe(REFUSED[`${number} ${client.id}`]);
        let offset = 0;
        for (const frame of whole.frames) {
          const read = readClientFrame(bytes, offset)!;
          expect(read.bytes.toString('hex') === frame).toBe(true);
          offset += read.bytes.length;
        }
        if (whole.refused === undefined) expect(whole.left).toBe(bytes.length - offset);
        for (const cuts of [everyByte(bytes), randomCuts(bytes, 50, bytes.length)]) {
          expect(decodeRequests(bytes, cuts)).toEqual(whole);
        }
      });
    }
  }
});
