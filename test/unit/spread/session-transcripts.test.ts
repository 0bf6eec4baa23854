import { describe, expect, it } from 'vitest';
import { Session } from '../../../server/src/spread/session.js';
import { serviceTypeFromBits } from '../../../server/src/spread/wire/index.js';
import { scriptedDaemon, scriptOf } from '../../support/daemons/scripted-daemon.js';
import { within } from '../../support/until.js';
import { decodeStream } from '../../support/wire/decode-stream.js';
import { readClientFrame } from '../../support/wire/frame-builder.js';
import { fingerprint } from '../../support/wire/message-expectation.js';
import { type SessionLog, startLogged } from '../../support/wire/session-log.js';
import {
  bytesOf,
  type ClientRecording,
  clientRecordings,
  loadTranscript,
  type TranscriptStep,
} from '../../support/wire/transcripts.js';

/** Recordings in which every client behaves like a library. */
const ORDINARY = [
  '01',
  '02',
  '03',
  '04',
  '20',
  '21',
  '22',
  '23',
  '24',
  '25',
  '26',
  '27',
  '28',
  '40',
  '42',
  '43',
  '44',
  '46',
  '47',
  '48',
  '52',
  '64',
  '70',
  '74',
  '80',
  '81',
  '84',
];

describe('a session against the daemon side of a recording', () => {
  for (const number of ORDINARY) {
    const transcript = loadTranscript(number);
    for (const recording of clientRecordings(transcript)) {
      it(`${transcript.name}, client ${recording.id}`, async () => {
        const transport = transcript.clients.find(({ id }) => id === recording.id)!.transport;
        const daemon = await scriptedDaemon([scriptOf(recording)], {
          transport: transport === 'unix' ? 'unix' : 'tcp',
        });
        const session = await Session.connect({ address: daemon.spreadName, ...identity(recording) });
        expect(session.privateGroup).toBe(recording.privateGroup);
        const log = startLogged(session);
        await replay(recording, session, log);
        await within(daemon.finished, 'the script');
        const expected = decodeStream(bytesOf(recording.session, 'recv')).messages.map(fingerprint);
        expect(log.messages.map(fingerprint)).toEqual(expected);
      });
    }
  }
});

/** The options in the client's connect request. */
function identity(recording: ClientRecording): { privateName: string; membership: boolean; priority: 0 | 1 } {
  const request = recording.handshake.find(({ dir }) => dir === 'send')!.bytes;
  return {
    privateName: request.toString('latin1', 5),
    membership: (request[3]! & 0x0f) === 1,
    priority: (request[3]! >> 4) as 0 | 1,
  };
}

/** Repeats the client's actions at the same positions of the stream. */
async function replay(recording: ClientRecording, session: Session, log: SessionLog): Promise<void> {
  let received = 0;
  let leaving: Promise<void> | undefined;
  for (const step of recording.session) {
    if (step.dir === 'recv') {
      received += step.repeat;
      await log.received(received);
    } else if (step.dir === 'send') leaving = perform(step, session) ?? leaving;
    else if (step.dir === 'close') session.abort();
    else if (step.dir === 'eof' && leaving) await leaving;
    else if (step.dir === 'eof') expect(await log.ended()).toMatchObject({ code: 'CONNECTION_CLOSED' });
  }
}

/** Sends the requests of one step. Returns the disconnect message if there is one. */
function perform(step: TranscriptStep, session: Session): Promise<void> | undefined {
  let goodbye: Promise<void> | undefined;
  for (let offset = 0; offset < step.bytes.length; ) {
    const frame = readClientFrame(step.bytes, offset)!;
    offset += frame.bytes.length;
    const { groups, messageType, data: payload } = frame;
    if (frame.type === 0x10000) session.join(groups[0]!);
    else if (frame.type === 0x20000) session.leave(groups[0]!);
    else if (frame.type === 0x40000) goodbye = session.disconnect();
    else session.multicast({ groups, messageType, payload, ...serviceTypeFromBits(frame.type) });
  }
  return goodbye;
}
