import { describe, expect, it } from 'vitest';
import type { Message } from '../../server/src/spread/wire/index.js';
import { decodeStream, everyByte, randomCuts } from '../support/wire/decode-stream.js';
import { type Facts, factsOf, factsOfNote, fingerprint } from '../support/wire/message-expectation.js';
import {
  bytesOf,
  clientRecordings,
  loadTranscript,
  type TranscriptStep,
  transcriptNames,
} from '../support/wire/transcripts.js';
import { rebuildMessage } from './rebuild-message.js';

/** Expected facts for steps with a prose note, by transcript number and note. */
const TOLD: Record<string, Facts> = {
  '25 REG_MEMB: same group id as the first view of this scenario': {
    kind: 'view',
    cause: 'JOIN',
    group: 'room',
    members: ['#a#localhost'],
    groupIdIndex: 1,
  },
  '53 delivered to the member of the empty-named group': {
    kind: 'regular',
    serviceType: 'RELIABLE',
    sender: '#a#localhost',
    payloadLength: 1,
  },
  "55 hint still in the sender's byte order: 00 00 05 00": {
    kind: 'regular',
    serviceType: 'AGREED',
    messageType: 5,
    endianMismatch: true,
    payloadLength: 2,
  },
  "55 hint still in the sender's byte order: 00 00 05 00 -> endian mismatch for a little-endian receiver": {
    kind: 'regular',
    serviceType: 'AGREED',
    messageType: 5,
    endianMismatch: true,
    payloadLength: 2,
  },
  '55 hint 00 ff fe 00': { kind: 'regular', selfDiscard: true, messageType: -2, endianMismatch: true },
  '68 received by the reading member': { kind: 'regular', payloadLength: 1000 },
  '68 then the view: slow is gone (caused by DISCONNECT)': {
    kind: 'view',
    cause: 'DISCONNECT',
    memberCount: 1,
  },
  '68 slow now reads what the kernel had buffered: complete messages': {
    kind: 'regular',
    payloadLength: 1000,
  },
  '69 received by mon': { kind: 'regular', payloadLength: 20_000 },
  '69 view: self was disconnected': { kind: 'view', cause: 'DISCONNECT', memberCount: 1 },
};

/** Number of bytes of an incomplete frame at the end of a stream. */
const INCOMPLETE: Record<string, number> = {
  // The daemon disconnected a slow reader in the middle of a message.
  '68 slow': 248,
  // A client that sets the REJECT bit receives its own frame without the extra word of a reject frame.
  '59 a': 86,
};

function factsOfStep(number: string, step: TranscriptStep): Facts {
  const facts = TOLD[`${number} ${step.note}`] ?? factsOfNote(step);
  if (facts === undefined) throw new Error(`${number}: nothing is known about "${step.note}"`);
  return facts;
}

describe('the messages that a client decodes from each recorded session', () => {
  for (const name of transcriptNames()) {
    const transcript = loadTranscript(name);
    const number = name.slice(0, 2);
    for (const client of clientRecordings(transcript)) {
      const stream = bytesOf(client.session, 'recv');
      if (stream.length === 0) continue;
      const left = INCOMPLETE[`${number} ${client.id}`] ?? 0;

      it(`${name}, client ${client.id}: the recorded meaning`, () => {
        const steps = client.session
          .filter((step) => step.dir === 'recv')
          .flatMap((step) => Array.from({ length: step.repeat }, () => step));
        if (left > 0) steps.pop();
        const decoded = decodeStream(stream);
        expect(decoded.left).toBe(left);
        expect(decoded.messages.length).toBe(steps.length);
        for (const [i, step] of steps.entries()) {
          const message = decoded.messages[i]!;
          expect(factsOf(message), `step ${step.index}`).toMatchObject(factsOfStep(number, step));
          expect(rebuildMessage(message).equals(step.bytes), `bytes of step ${step.index}`).toBe(true);
        }
      });

      it(`${name}, client ${client.id}: the same for every split`, () => {
        const whole = decodeStream(stream);
        const expected = whole.messages.map(fingerprint);
        const cuts = [
          everyByte(stream),
          ...[1, 2, 3].map((seed) => randomCuts(stream, 40 * seed, seed + stream.length)),
        ];
        for (const cut of cuts) {
          const decoded = decodeStream(stream, cut);
          expect(decoded.left).toBe(left);
          expect(decoded.messages.length).toBe(expected.length);
          expect(decoded.messages.every((message, i) => fingerprint(message) === expected[i])).toBe(true);
          // Linear time: no byte is copied twice.
          expect(decoded.copied).toBeLessThanOrEqual(stream.length);
        }
      });
    }
  }
});

/** The messages of one client of one transcript. */
function messagesOf(number: string, clientId: string): Message[] {
  const client = clientRecordings(loadTranscript(number)).find(({ id }) => id === clientId);
  if (client === undefined) throw new Error(`${number} has no client ${clientId}`);
  return decodeStream(bytesOf(client.session, 'recv')).messages;
}

function viewsOf(number: string, clientId: string): Extract<Message, { kind: 'view' }>[] {
  return messagesOf(number, clientId).filter((message) => message.kind === 'view');
}

describe('notable transcripts in full', () => {
  it('20: three join; in every view, the only set contains the joining member', () => {
    expect(
      viewsOf('20', 'a').map(({ cause, members, changed, vsSets, ownSetIndex }) => ({
        cause,
        members,
        changed,
        vsSets,
        ownSetIndex,
      })),
    ).toEqual([
      {
        cause: 'JOIN',
        members: ['#a#localhost'],
        changed: ['#a#localhost'],
        vsSets: [['#a#localhost']],
        ownSetIndex: 0,
      },
      {
        cause: 'JOIN',
        members: ['#a#localhost', '#b#localhost'],
        changed: ['#b#localhost'],
        vsSets: [['#b#localhost']],
        ownSetIndex: 0,
      },
      {
        cause: 'JOIN',
        members: ['#a#localhost', '#b#localhost', '#c#localhost'],
        changed: ['#c#localhost'],
        vsSets: [['#c#localhost']],
        ownSetIndex: 0,
      },
    ]);
  });

  it('20: the remaining members see each disconnect', () => {
    const disconnects = viewsOf('20', 'c').filter(({ cause }) => cause === 'DISCONNECT');
    expect(disconnects.map(({ members, changed }) => ({ members, changed }))).toEqual([
      { members: ['#b#localhost', '#c#localhost'], changed: ['#a#localhost'] },
      { members: ['#c#localhost'], changed: ['#b#localhost'] },
    ]);
  });

  it('23: the leaving member gets a self-leave and no view; the others get a view caused by LEAVE', () => {
    const own = messagesOf('23', 'b');
    expect(own.at(-1)).toEqual({ kind: 'selfLeave', group: 'room' });
    const leave = viewsOf('23', 'a').find(({ cause }) => cause === 'LEAVE');
    expect(leave).toMatchObject({ members: ['#a#localhost', '#c#localhost'], changed: ['#b#localhost'] });
  });

  it('25: a group that was empty gets its first ID again', () => {
    const ids = viewsOf('25', 'a').map(({ groupId }) => groupId.words);
    expect(ids[0]).toEqual(ids.at(-1));
    expect(ids[0]![0]).toBe(0x1cc59726);
  });

  it("43: the complete list of groups in the sender's order, duplicates included", () => {
    const message = messagesOf('43', 'b').find((m) => m.kind === 'regular');
    expect(message).toMatchObject({ groups: ['zz', 'g2', 'g1', 'g2', '#nobody#localhost', '#b#localhost'] });
  });

  it('48: message types are signed 16-bit numbers', () => {
    const types = messagesOf('48', 'a').flatMap((m) => (m.kind === 'regular' ? [m.messageType] : []));
    expect(types).toEqual([0, 1, 255, 256, 32767, -1, -2, -32768]);
  });

  it('55: payloads of a big-endian sender are marked, those of the other are not', () => {
    const regular = messagesOf('55', 'b').flatMap((m) => (m.kind === 'regular' ? [m] : []));
    expect(
      regular.map(({ sender, messageType, endianMismatch }) => [sender, messageType, endianMismatch]),
    ).toEqual([
      ['#a#localhost', 5, true],
      ['#a#localhost', -2, true],
      ['#b#localhost', 5, false],
    ]);
  });

  it('58: forged membership bits do not turn a message into a view', () => {
    const kinds = new Set(
      messagesOf('58', 'b')
        .filter((m) => m.kind !== 'view')
        .map(({ kind }) => kind),
    );
    expect([...kinds]).toEqual(['regular']);
  });

  it('74: rejected messages', () => {
    expect(messagesOf('74', 'a')).toEqual([
      reject({ refused: 'JOIN', groups: ['denyme'], rawOldType: 0x100 }),
      reject({ refused: 'LEAVE', groups: ['denyme'], rawOldType: 0x200 }),
      reject({
        refused: 'MESSAGE',
        serviceType: 'RELIABLE',
        groups: ['denyA', 'other'],
        rawOldType: 2,
        messageType: 7,
        payload: Buffer.from('hello'),
      }),
      reject({
        refused: 'MESSAGE',
        serviceType: 'AGREED',
        groups: ['#deny#localhost'],
        rawOldType: 0x10,
        messageType: -3,
        payload: Buffer.from('hi'),
      }),
      reject({ refused: 'MESSAGE', serviceType: 'SAFE', groups: ['denyA'], rawOldType: 0x20 }),
    ]);
  });

  it('80: members are ordered by daemon, then by name', () => {
    const last = viewsOf('80', 'a3').find(({ members }) => members.length === 4);
    expect(last?.members).toEqual(['#b1#d1', '#z1#d1', '#m2#d2', '#a3#d3']);
  });

  it('81: cut and merge, seen by the larger part', () => {
    const cut = viewsOf('81', 'a1').filter(({ cause }) => cause === 'NETWORK');
    expect(
      cut.map(({ members, vsSets, ownSetIndex, changed }) => ({ members, vsSets, ownSetIndex, changed })),
    ).toEqual([
      {
        members: ['#a1#d1', '#b1#d1', '#a2#d2'],
        vsSets: [['#a1#d1', '#b1#d1', '#a2#d2']],
        ownSetIndex: 0,
        changed: [],
      },
      {
        members: ['#a1#d1', '#b1#d1', '#a2#d2', '#a3#d3'],
        vsSets: [['#a3#d3'], ['#a1#d1', '#b1#d1', '#a2#d2']],
        ownSetIndex: 1,
        changed: ['#a3#d3'],
      },
    ]);
  });

  it('81: cut and merge, seen by the separated daemon', () => {
    const cut = viewsOf('81', 'a3').filter(({ cause }) => cause === 'NETWORK');
    expect(cut.map(({ vsSets, ownSetIndex, changed }) => ({ vsSets, ownSetIndex, changed }))).toEqual([
      { vsSets: [['#a3#d3']], ownSetIndex: 0, changed: [] },
      {
        vsSets: [['#a3#d3'], ['#a1#d1', '#b1#d1', '#a2#d2']],
        ownSetIndex: 0,
        changed: ['#a1#d1', '#b1#d1', '#a2#d2'],
      },
    ]);
    // The ID of a daemon that formed a ring is unsigned, also with the high bit set.
    expect(cut[0]!.groupId.words[0]).toBe(0xef46226e);
  });

  it('81 and 84: the transitional signal has the ID of the ending view, and comes before the next view', () => {
    for (const [number, client] of [
      ['81', 'a1'],
      ['84', 'a2'],
    ] as const) {
      const messages = messagesOf(number, client);
      const at = messages.findIndex(({ kind }) => kind === 'transitional');
      const signal = messages[at];
      if (signal?.kind !== 'transitional') throw new Error('no transitional signal');
      const before = messages
        .slice(0, at)
        .filter((m) => m.kind === 'view' && m.group === 'net')
        .at(-1);
      expect(before).toMatchObject({ groupId: signal.groupId });
      expect(messages[at + 1]).toMatchObject({ kind: 'view', cause: 'NETWORK', group: 'net' });
    }
  });
});

function reject(fields: Facts): Facts {
  return {
    kind: 'rejected',
    sender: '#a#localhost',
    selfDiscard: false,
    messageType: 0,
    endianMismatch: false,
    payload: Buffer.alloc(0),
    ...fields,
  };
}
