import { describe, expect, it } from 'vitest';
import {
  AcceptReader,
  AuthChoiceReader,
  AuthListReader,
  ConnectRequestReader,
  encodeAccept,
  encodeAuthChoice,
  encodeAuthList,
  encodeConnectRequest,
  encodeDisconnect,
  encodeJoin,
  encodeLeave,
  encodeMulticast,
  encodeReject,
  type SpreadCodeName,
  serviceTypeFromBits,
  spreadCodeName,
  WireError,
} from '../../server/src/spread/wire/index.js';
import { type ReadFrame, readClientFrame } from '../support/wire/frame-builder.js';
import {
  bytesOf,
  type ClientRecording,
  clientRecordings,
  loadTranscript,
  type TranscriptStep,
  transcriptNames,
} from '../support/wire/transcripts.js';

const recordings = transcriptNames().flatMap((name) => clientRecordings(loadTranscript(name)));

/** The frames in one `send` step. Undefined if the step is not a sequence of complete frames. */
function framesOf(step: TranscriptStep): ReadFrame[] | undefined {
  const frames: ReadFrame[] = [];
  for (let offset = 0; offset < step.bytes.length; ) {
    const frame = readClientFrame(step.bytes, offset);
    if (frame === undefined) return undefined;
    frames.push(frame);
    offset += frame.bytes.length;
  }
  return frames;
}

/** The same request from our encoders. Throws their error if they reject it. */
function ours(frame: ReadFrame): Buffer {
  const group = frame.groups[0] ?? '';
  switch (frame.type & ~0x40) {
    case 0x10000:
      return encodeJoin(frame.privateGroup, group);
    case 0x20000:
      return encodeLeave(frame.privateGroup, group);
    case 0x40000:
      return encodeDisconnect(frame.privateGroup);
  }
  const { privateGroup, groups, messageType, data: payload } = frame;
  return Buffer.concat(
    encodeMulticast({ privateGroup, groups, messageType, payload, ...serviceTypeFromBits(frame.type) }),
  );
}

/**
 * The result for a recorded request: our bytes are equal or different, it is not a complete frame, or we reject
 * it.
 */
type Outcome = 'equal' | 'different' | 'incomplete' | SpreadCodeName;

function outcomesOf(step: TranscriptStep): Outcome[] {
  const frames = framesOf(step);
  if (frames === undefined) return ['incomplete'];
  return frames.map((frame) => {
    let mine: Buffer | undefined;
    const code = codeOf(() => {
      mine = ours(frame);
    });
    return code ?? (mine?.equals(frame.bytes) ? 'equal' : 'different');
  });
}

/** Requests that our libraries do not send, by transcript. All others must be equal. */
const EXCEPTIONS: Record<string, Partial<Record<Outcome, number>>> = {
  // groups other than the own private group, or data, in a KILL
  '30': { different: 3 },
  // #  ##  #b  #b#  the empty name, and no group at all
  '45': { ILLEGAL_GROUP: 6 },
  // 143,152 bytes, which real Spread delivers and which corrupt its memory
  '49': { MESSAGE_TOO_LONG: 1 },
  '50': { MESSAGE_TOO_LONG: 1 },
  '51': { incomplete: 2 },
  // 44, 100 and 50 groups, joining and leaving the empty name
  '53': { ILLEGAL_GROUP: 5 },
  '54': { ILLEGAL_GROUP: 1 },
  '55': { different: 5 },
  '57': { ILLEGAL_SERVICE: 11 },
  // SELF_DISCARD in a JOIN
  '58': { ILLEGAL_SERVICE: 16, different: 1 },
  '59': { ILLEGAL_SERVICE: 1 },
  '60': { ILLEGAL_SERVICE: 1 },
  '63': { incomplete: 6 },
  '65': { incomplete: 6 },
  '66': { ILLEGAL_GROUP: 17 },
  '73': { incomplete: 1 },
};

describe('recorded requests of clients', () => {
  let equal = 0;

  for (const name of transcriptNames()) {
    it(`${name}: equal to ours byte for byte, or rejected`, () => {
      const others: Partial<Record<Outcome, number>> = {};
      for (const recording of clientRecordings(loadTranscript(name))) {
        for (const step of recording.session) {
          if (step.dir !== 'send' || recording.privateGroup === undefined) continue;
          for (const outcome of outcomesOf(step)) {
            if (outcome === 'equal') equal++;
            else others[outcome] = (others[outcome] ?? 0) + 1;
          }
        }
      }
      expect(others).toEqual(EXCEPTIONS[name.slice(0, 2)] ?? {});
    });
  }

  it('were compared', () => {
    expect(equal).toBe(541);
  });
});

describe('recorded handshakes', () => {
  for (const recording of recordings) {
    if (!looksLikeLibrary(recording)) continue;
    it(`${recording.transcript.name}, client ${recording.id}`, () => {
      const [request, choice] = recording.handshake
        .filter((step) => step.dir === 'send')
        .map((step) => step.bytes);
      const reader = new ConnectRequestReader();
      expect(reader.push(request!)).toBe(true);
      const { name, membership, priority, version } = reader.value;
      expect(
        encodeConnectRequest({ name, membership, priority: priority as 0 | 1, version }).equals(request!),
      ).toBe(true);
      if (choice !== undefined) {
        const methods = new AuthChoiceReader();
        expect(methods.push(choice)).toBe(true);
        expect(encodeAuthChoice(methods.value).equals(choice)).toBe(true);
      }
      expectAnswers(recording, reader.value.authPhase, reader.value.versionBytes);
    });
  }
});

/** False for requests that are malformed on purpose. */
function looksLikeLibrary({ transcript, handshake }: ClientRecording): boolean {
  const number = transcript.name.slice(0, 2);
  if (['05', '08', '09', '14', '15'].includes(number)) return false;
  const sends = handshake.filter((step) => step.dir === 'send');
  if (sends.length === 0) return false;
  if (number === '06')
    return !sends[0]!.note.includes('#') && sends[0]!.bytes[5]! === 0x61 && handshake.length > 4;
  return !/^version bytes|no method|only 45/.test(sends.map((step) => step.note).join('\n'));
}

function expectAnswers(recording: ClientRecording, authPhase: boolean, versionBytes: 2 | 3): void {
  const answers = bytesOf(recording.handshake, 'recv');
  let rest = answers;
  if (authPhase) {
    const list = new AuthListReader();
    const code = codeOf(() => list.push(rest));
    if (code !== undefined) {
      expect(encodeReject(code).equals(answers)).toBe(true);
      expect(code).toBe(spreadCodeName(answers.readInt8(0)));
      return;
    }
    expect(encodeAuthList(list.value).equals(answers.subarray(0, list.taken))).toBe(true);
    rest = list.rest;
  }
  // The client was closed, or closed the connection, in the middle of the request.
  if (rest.length === 0) return;
  if (rest.length === 1) {
    expect(encodeReject(spreadCodeName(rest.readInt8(0))!).equals(rest)).toBe(true);
    return;
  }
  const privateGroup = recording.privateGroup!;
  expect(
    encodeAccept({ daemonVersion: { major: 5, minor: 0, patch: 1 }, privateGroup }, versionBytes).equals(
      rest,
    ),
  ).toBe(true);
  if (versionBytes === 2) return;
  for (const cut of rest.keys()) {
    const accept = new AcceptReader();
    accept.push(rest.subarray(0, cut));
    expect(accept.done).toBe(false);
    expect(accept.push(rest.subarray(cut))).toBe(true);
    expect(accept.value).toEqual({ daemonVersion: { major: 5, minor: 0, patch: 1 }, privateGroup });
  }
}

function codeOf(action: () => unknown): SpreadCodeName | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}
