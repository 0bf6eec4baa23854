import { describe, expect, it } from 'vitest';
import {
  COALESCED_PAYLOAD,
  encodeDisconnect,
  encodeJoin,
  encodeLeave,
  encodeMulticast,
  type MulticastFields,
  serviceTypeFromBits,
  WireError,
} from '../../server/src/spread/wire/index.js';
import { buildFrame } from '../support/wire/frame-builder.js';

const ME = '#me#daemon';

function fields(over: Partial<MulticastFields> = {}): MulticastFields {
  return { privateGroup: ME, serviceType: 'RELIABLE', groups: ['room'], payload: Buffer.from('x'), ...over };
}

function refusal(action: () => unknown): WireError {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('commands', () => {
  it('are 80 bytes with one group', () => {
    expect(encodeJoin(ME, 'room')).toEqual(buildFrame({ type: 0x10000, privateGroup: ME, groups: ['room'] }));
    expect(encodeLeave(ME, 'room')).toEqual(
      buildFrame({ type: 0x20000, privateGroup: ME, groups: ['room'] }),
    );
    expect(encodeDisconnect(ME)).toEqual(buildFrame({ type: 0x40000, privateGroup: ME, groups: [ME] }));
    expect(encodeDisconnect(ME).length).toBe(80);
  });

  it('reject names that the library of Spread rejects', () => {
    for (const encode of [encodeJoin, encodeLeave]) {
      expect(refusal(() => encode(ME, ''))).toMatchObject({ code: 'ILLEGAL_GROUP', bound: '1..31 bytes' });
    }
  });
});

describe('encodeMulticast', () => {
  it('writes what an independent builder writes', () => {
    const groups = ['room', '#b#other', 'room'];
    const built = buildFrame({
      type: 0x60,
      privateGroup: ME,
      groups,
      messageType: -32_768,
      data: Buffer.from('payload'),
    });
    const mine = encodeMulticast(
      fields({
        serviceType: 'SAFE',
        selfDiscard: true,
        groups,
        messageType: -32_768,
        payload: Buffer.from('payload'),
      }),
    );
    expect(mine).toEqual([built]);
  });

  it('puts a large payload after the header without a copy, independent of its array', () => {
    const memory = new Uint8Array(20_000).fill(7);
    const payload = memory.subarray(100, 100 + COALESCED_PAYLOAD + 1);
    const pieces = encodeMulticast(fields({ payload }));
    expect(pieces.length).toBe(2);
    expect(pieces[1]!.buffer).toBe(memory.buffer);
    expect(Buffer.concat(pieces)).toEqual(
      buildFrame({ type: 2, privateGroup: ME, groups: ['room'], data: payload }),
    );
    expect(encodeMulticast(fields({ payload: payload.subarray(1) })).length).toBe(1);
  });

  it.each([
    [1, 143_119],
    [43, 141_775],
  ])('to %i group(s) accepts a payload of up to %i bytes', (count, most) => {
    const groups = Array(count).fill('g');
    expect(Buffer.concat(encodeMulticast(fields({ groups, payload: Buffer.alloc(most) }))).length).toBe(
      48 + 143_151,
    );
    const error = refusal(() => encodeMulticast(fields({ groups, payload: Buffer.alloc(most + 1) })));
    expect(error).toMatchObject({
      code: 'MESSAGE_TOO_LONG',
      number: -17,
      field: 'payload',
      bound: `0..${most} bytes`,
    });
    expect(error.message).toContain(String(most + 1));
  });

  it('rejects 44 groups unless the limit is set, and always 101', () => {
    const to = (count: number, maxGroups?: number) => () =>
      encodeMulticast(
        fields({ groups: Array(count).fill('g') }),
        maxGroups === undefined ? undefined : { maxGroups, maxBody: 143_151 },
      );
    expect(refusal(to(44))).toMatchObject({ code: 'ILLEGAL_GROUP', field: 'groups', bound: '1..43' });
    expect(refusal(to(44)).message).toContain('5.0.1');
    expect(to(100, 100)).not.toThrow();
    expect(refusal(to(101, 1000))).toMatchObject({ bound: '1..100' });
    expect(refusal(to(3, 2))).toMatchObject({ bound: '1..2' });
    expect(refusal(to(0))).toMatchObject({ bound: '1..43' });
  });

  it('stays below the size that aborts a daemon, independent of the limit', () => {
    const error = refusal(() =>
      encodeMulticast(fields({ payload: Buffer.alloc(143_120) }), { maxGroups: 43, maxBody: 144_000 }),
    );
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LONG' });
    expect(
      refusal(() => encodeMulticast(fields({ payload: Buffer.alloc(69) }), { maxGroups: 43, maxBody: 100 })),
    ).toMatchObject({ bound: '0..68 bytes' });
  });

  it('names the group that is malformed', () => {
    expect(refusal(() => encodeMulticast(fields({ groups: ['a', 'b', '#c#'] })))).toMatchObject({
      field: 'groups[2]',
    });
  });

  it.each([32_768, -32_769, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'rejects the message type %d',
    (messageType) => {
      expect(refusal(() => encodeMulticast(fields({ messageType })))).toMatchObject({
        code: 'ILLEGAL_MESSAGE',
        bound: '-32768..32767',
      });
    },
  );

  it.each(['', 'safe', 'toString', undefined])('rejects the service type %j', (serviceType) => {
    expect(refusal(() => encodeMulticast(fields({ serviceType: serviceType as never })))).toMatchObject({
      code: 'ILLEGAL_SERVICE',
      number: -12,
    });
  });
});

describe('serviceTypeFromBits', () => {
  it('accepts each service, with and without self-discard', () => {
    expect([1, 2, 4, 8, 16, 32].map((bit) => serviceTypeFromBits(bit).serviceType)).toEqual([
      'UNRELIABLE',
      'RELIABLE',
      'FIFO',
      'CAUSAL',
      'AGREED',
      'SAFE',
    ]);
    expect(serviceTypeFromBits(0x44)).toEqual({ serviceType: 'FIFO', selfDiscard: true });
  });

  it('rejects all others: every other bit makes the daemon end the session or itself', () => {
    const wrong = [
      0,
      3,
      0x3f,
      0x40,
      0x80,
      0x82,
      0x102,
      0x1002,
      0x10002,
      0x80002,
      0x400002,
      0x1000002,
      0x80000082,
      -1,
      1.5,
      2 ** 32 + 2,
      Number.NaN,
    ];
    for (const bits of wrong)
      expect(
        refusal(() => serviceTypeFromBits(bits)),
        String(bits),
      ).toMatchObject({ code: 'ILLEGAL_SERVICE' });
  });
});
