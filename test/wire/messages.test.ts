import { describe, expect, it } from 'vitest';
import {
  decodeMessage,
  encodeSelfLeave,
  encodeTransition,
  encodeView,
  FrameDecoder,
  type Message,
  sameGroupId,
  WireError,
} from '../../server/src/spread/wire/index.js';
import { buildFrame, buildViewData, type RawFrame, type RawView } from '../support/wire/frame-builder.js';

function decode(bytes: Buffer): Message {
  const messages: Message[] = [];
  new FrameDecoder({ role: 'client' }, (frame) => messages.push(decodeMessage(frame))).push(bytes);
  if (messages.length !== 1) throw new Error(`${messages.length} messages`);
  return messages[0]!;
}

function refusal(frame: RawFrame): WireError {
  try {
    decode(buildFrame(frame));
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const ID = [1, 2, 3] as const;

function view(fields: Partial<RawView> = {}, frame: Partial<RawFrame> = {}): RawFrame {
  return {
    type: 0x1800,
    privateGroup: 'g',
    groups: ['#a#d', '#b#d'],
    data: buildViewData({ groupId: ID, vsSets: [['#a#d'], ['#b#d']], ...fields }),
    ...frame,
  };
}

describe('regular messages', () => {
  it.each([
    [1, 'UNRELIABLE'],
    [2, 'RELIABLE'],
    [4, 'FIFO'],
    [8, 'CAUSAL'],
    [16, 'AGREED'],
    [32, 'SAFE'],
  ])('of service %i are %s, with and without self-discard', (bit, serviceType) => {
    expect(decode(buildFrame({ type: bit }))).toMatchObject({
      kind: 'regular',
      serviceType,
      selfDiscard: false,
      rawType: bit,
    });
    expect(decode(buildFrame({ type: bit | 0x40 }))).toMatchObject({
      serviceType,
      selfDiscard: true,
      rawType: bit | 0x40,
    });
  });

  it('may have no groups and no payload', () => {
    expect(decode(buildFrame({ type: 2 }))).toMatchObject({ groups: [], payload: Buffer.alloc(0) });
  });

  it('stay regular with any forged membership bits', () => {
    for (let bit = 0x100; bit <= 0x2000; bit <<= 1) {
      expect(decode(buildFrame({ type: bit | 2 }))).toMatchObject({ kind: 'regular', rawType: bit | 2 });
    }
  });

  it('of several services are rejected', () => {
    expect(refusal({ type: 0x12 })).toMatchObject({ code: 'ILLEGAL_MESSAGE', field: 'type' });
  });
});

describe('views', () => {
  it('NETWORK: members outside the own set have changed', () => {
    expect(decode(buildFrame(view({ ownSetIndex: 1 })))).toMatchObject({ ownSetIndex: 1, changed: ['#a#d'] });
    expect(decode(buildFrame(view({ ownSetIndex: 0 })))).toMatchObject({ ownSetIndex: 0, changed: ['#b#d'] });
  });

  it.each([
    [0x1100, 'JOIN'],
    [0x1200, 'LEAVE'],
    [0x1400, 'DISCONNECT'],
  ])('%#x: the member in the one set has changed', (type, cause) => {
    const frame = view({ vsSets: [['#c#d']] }, { type });
    expect(decode(buildFrame(frame))).toMatchObject({ cause, changed: ['#c#d'] });
  });

  const malformed: [string, RawFrame][] = [
    ['no cause', view({}, { type: 0x1000 })],
    ['two causes', view({}, { type: 0x1300 })],
    ['a transition too', view({}, { type: 0x3100 })],
    ['no body', view({}, { data: Buffer.alloc(0) })],
    ['a short prefix', view({}, { data: Buffer.alloc(19) })],
    ['no set', view({ vsSets: [] })],
    ['more sets than bytes', view({}, { data: changedWord(12, 0xffffffff) })],
    ['a set more than there is', view({}, { data: changedWord(12, 3) })],
    ['a set less than there is', view({}, { data: changedWord(12, 1) })],
    ['more members than bytes', view({}, { data: changedWord(20, 0xffffffff) })],
    ['bytes that a set leaves over', view({}, { data: changedWord(56, 0) })],
    ['an own set that is none', view({ ownOffset: 4 })],
    ['an own set behind the end', view({ ownOffset: 72 })],
    [
      'a cut last name',
      view({}, { data: buildViewData({ groupId: ID, vsSets: [['#a#d']] }).subarray(0, 55) }),
    ],
    [
      'bytes after the last set',
      view(
        {},
        { data: Buffer.concat([buildViewData({ groupId: ID, vsSets: [['#a#d']] }), Buffer.alloc(1)]) },
      ),
    ],
  ];

  it.each(malformed)('with %s are rejected', (_name, frame) => {
    expect(refusal(frame)).toMatchObject({ code: 'ILLEGAL_MESSAGE' });
  });
});

/** The body of a normal view with another word at `offset`. */
function changedWord(offset: number, word: number): Buffer {
  const data = buildViewData({ groupId: ID, vsSets: [['#a#d'], ['#b#d']] });
  data.writeUInt32LE(word, offset);
  return data;
}

describe('other membership messages', () => {
  it('a self-leave is CAUSED_BY_LEAVE alone', () => {
    expect(decode(buildFrame({ type: 0x200, privateGroup: 'g' }))).toEqual({ kind: 'selfLeave', group: 'g' });
  });

  it.each([0x100, 0x400, 0x800, 0x600])('%#x alone does not exist', (type) => {
    expect(refusal({ type })).toMatchObject({ field: 'type' });
  });

  it('a transition has the id of a view', () => {
    expect(
      decode(
        buildFrame({
          type: 0x2000,
          privateGroup: 'g',
          data: buildViewData({ groupId: ID, vsSets: [] }).subarray(0, 12),
        }),
      ),
    ).toEqual({
      kind: 'transitional',
      group: 'g',
      groupId: { words: ID },
    });
    expect(refusal({ type: 0x2000, data: Buffer.alloc(11) })).toMatchObject({ field: 'data_len' });
  });

  it.each([0, 0x40, 0x10000, 0x40000, 0x80000, 0x1000000])('type %#x is invalid', (type) => {
    expect(refusal({ type })).toMatchObject({ field: 'type' });
  });
});

describe('rejects', () => {
  const base = { type: 0x400000, privateGroup: '#a#d', groups: ['g', '#a#d'] };

  it.each([
    [0x100, { refused: 'JOIN' }],
    [0x10000, { refused: 'JOIN' }],
    [0x200, { refused: 'LEAVE' }],
    [0x20000, { refused: 'LEAVE' }],
    [0x44, { refused: 'MESSAGE', serviceType: 'FIFO', selfDiscard: true }],
  ])('of %#x', (oldType, expected) => {
    expect(decode(buildFrame({ ...base, oldType }))).toMatchObject({
      kind: 'rejected',
      sender: '#a#d',
      groups: ['g'],
      rawOldType: oldType,
      ...expected,
    });
  });

  it('of a message that is not a request, or without a sender in the list, are rejected', () => {
    expect(refusal({ ...base, oldType: 0x40000 })).toMatchObject({ field: 'old type' });
    expect(refusal({ ...base, groups: [], oldType: 2 })).toMatchObject({ field: 'num_groups' });
  });
});

describe('encoders of membership messages', () => {
  const groupId = { words: [0xdeadbeef, 1_700_000_000, 3] } as const;

  for (const bigEndian of [false, true]) {
    it(`write what an independent builder writes, ${bigEndian ? 'big' : 'little'}-endian`, () => {
      const vsSets = [['#x#d'], ['#a#d', '#b#d']];
      const fields = {
        group: 'g',
        groupId,
        cause: 'NETWORK',
        members: ['#a#d', '#b#d', '#x#d'],
        vsSets,
        ownSetIndex: 1,
      } as const;
      const data = buildViewData({ groupId: groupId.words, vsSets, ownSetIndex: 1, bigEndian });
      expect(encodeView(fields, { bigEndian })).toEqual(
        buildFrame({ type: 0x1800, privateGroup: 'g', groups: fields.members, data, bigEndian }),
      );
      expect(encodeSelfLeave('g', { bigEndian })).toEqual(
        buildFrame({ type: 0x200, privateGroup: 'g', bigEndian }),
      );
      expect(encodeTransition('g', groupId, { bigEndian })).toEqual(
        buildFrame({ type: 0x2000, privateGroup: 'g', data: data.subarray(0, 12), bigEndian }),
      );
    });
  }
});

describe('group ids', () => {
  it('are equal when all three words are', () => {
    expect(sameGroupId({ words: ID }, { words: [1, 2, 3] })).toBe(true);
    for (const words of [
      [0, 2, 3],
      [1, 0, 3],
      [1, 2, 0],
    ] as const)
      expect(sameGroupId({ words: ID }, { words })).toBe(false);
  });
});
