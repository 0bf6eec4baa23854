import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  AcceptReader,
  AuthChoiceReader,
  AuthListReader,
  CLIENT_FRAME_LIMITS,
  ConnectRequestReader,
  checkDestination,
  checkGroupName,
  DAEMON_FRAME_LIMITS,
  decodeHeader,
  decodeMessage,
  encodeMulticast,
  FrameDecoder,
  WireError,
} from '../../server/src/spread/wire/index.js';
import { decodeStream } from '../support/wire/decode-stream.js';
import { buildFrame, buildViewData, type RawFrame } from '../support/wire/frame-builder.js';
import {
  anyName,
  bigEndian,
  destination,
  groupName,
  messageType,
  payload,
  privateGroup,
  service,
} from './wire-values.js';

describe('hostile bytes', () => {
  /** Decodes until the end or an error, and counts the memory that the decoder used. */
  function attack(role: 'client' | 'daemon', pieces: readonly Buffer[]): { error: unknown; taken: number } {
    const allocations = vi.spyOn(Buffer, 'allocUnsafeSlow');
    let error: unknown;
    const decoder = new FrameDecoder({ role }, (frame) => void (role === 'client' && decodeMessage(frame)));
    try {
      for (const piece of pieces) decoder.push(piece);
    } catch (caught) {
      error = caught;
    }
    const taken = allocations.mock.calls.reduce((sum, [size]) => Math.max(sum, size), 0);
    allocations.mockRestore();
    return { error, taken };
  }

  const role = fc.constantFrom('client' as const, 'daemon' as const);
  const edge = fc.constantFrom(
    0,
    1,
    -1,
    43,
    44,
    100,
    101,
    4500,
    4501,
    143_151,
    143_152,
    143_952,
    144_000,
    144_001,
    2 ** 31 - 1,
    -(2 ** 31),
  );
  const length = fc.oneof(fc.integer(), edge);
  const typeBits = fc.oneof(
    fc.nat(0xffffffff),
    fc
      .array(fc.nat(31), { maxLength: 4 })
      .map((bits) => bits.reduce((word, bit) => (word | (1 << bit)) >>> 0, 0)),
  );
  const hostileFrame: fc.Arbitrary<RawFrame> = fc.record({
    type: typeBits,
    privateGroup: anyName,
    numGroups: length,
    hint: fc.nat(0xffffffff),
    dataLength: length,
    data: payload,
    bigEndian,
  });

  it('in headers: an error or an incomplete frame, and memory within the limits', () => {
    fc.assert(
      fc.property(role, hostileFrame, fc.nat(), (side, frame, place) => {
        const bytes = buildFrame(frame);
        const cut = place % bytes.length;
        const { error, taken } = attack(side, [bytes.subarray(0, cut), bytes.subarray(cut)]);
        if (error !== undefined) expect(error).toBeInstanceOf(WireError);
        const limits = side === 'client' ? CLIENT_FRAME_LIMITS : DAEMON_FRAME_LIMITS;
        expect(taken).toBeLessThanOrEqual(limits.maxBody + 4);
        const { numGroups, dataLength } = decodeHeader(bytes);
        const past =
          numGroups < 0 ||
          dataLength < 0 ||
          numGroups > limits.maxGroups ||
          dataLength + 32 * numGroups > limits.maxBody;
        if (past) {
          expect(error).toBeInstanceOf(WireError);
          expect(taken).toBeLessThanOrEqual(48);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('in the bodies of whole frames', () => {
    const body = fc.tuple(
      fc.array(anyName, { maxLength: 4 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.option(fc.nat(0xffffffff)),
    );
    fc.assert(
      fc.property(typeBits, body, bigEndian, (type, [groups, data, oldType], big) => {
        const reject = (type & 0x400000) !== 0;
        const bytes = buildFrame({
          type,
          groups,
          data,
          bigEndian: big,
          ...(reject && { oldType: oldType ?? 2 }),
        });
        const { error } = attack('client', [bytes]);
        if (error !== undefined) expect(error).toBeInstanceOf(WireError);
      }),
      { numRuns: 2000 },
    );
  });

  it('in the words of a view', () => {
    const good = buildViewData({ groupId: [1, 2, 3], vsSets: [['#a#d'], ['#b#d', '#c#d']], ownSetIndex: 1 });
    const word = fc.oneof(fc.nat(0xffffffff), fc.nat(200));
    const changes = fc.array(fc.tuple(fc.constantFrom(12, 16, 20, 56), word), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, fc.nat(good.length), (words, cut) => {
        const data = Buffer.from(good);
        for (const [offset, value] of words) data.writeUInt32LE(value, offset);
        const frame = buildFrame({
          type: 0x1800,
          privateGroup: 'g',
          groups: ['#a#d'],
          data: data.subarray(0, good.length - cut),
        });
        let members = 0;
        let error: unknown;
        try {
          const [message] = decodeStream(frame).messages;
          if (message?.kind === 'view') members = message.vsSets.flat().length;
        } catch (caught) {
          error = caught;
        }
        if (error !== undefined) expect(error).toBeInstanceOf(WireError);
        expect(members * 32).toBeLessThanOrEqual(frame.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('as noise, on every reader', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.nat(), (noise, place) => {
        const bytes = Buffer.from(noise);
        const cut = place % bytes.length;
        for (const side of ['client', 'daemon'] as const) {
          const { error } = attack(side, [bytes.subarray(0, cut), bytes.subarray(cut)]);
          if (error !== undefined) expect(error).toBeInstanceOf(WireError);
        }
        const readers = [
          new ConnectRequestReader(),
          new AuthListReader(),
          new AuthChoiceReader(),
          new AcceptReader(),
        ];
        for (const reader of readers) {
          try {
            if (!reader.push(bytes.subarray(0, cut))) reader.push(bytes.subarray(cut));
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('requests', () => {
  it('of any names, counts and lengths either fit a daemon, or are rejected with field and limit', () => {
    const fields = fc.record({
      privateGroup,
      serviceType: service,
      selfDiscard: fc.boolean(),
      groups: fc.oneof(
        fc.array(fc.oneof(destination, anyName), { maxLength: 3 }),
        fc.array(groupName, { maxLength: 120 }),
      ),
      messageType: fc.oneof(messageType, fc.integer(), fc.double()),
      payload: fc
        .oneof(fc.nat(2000), fc.integer({ min: 140_000, max: 146_000 }))
        .map((size) => Buffer.alloc(size)),
    });
    fc.assert(
      fc.property(fields, fc.integer({ min: 1, max: 100 }), (message, maxGroups) => {
        let bytes: Buffer;
        try {
          bytes = Buffer.concat(encodeMulticast(message, { maxGroups, maxBody: 143_151 }));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
          const { field, bound, message: sentence } = error as WireError;
          expect(sentence).toContain(field);
          expect(bound).toBeTruthy();
          // The message states the upper end of a range in words.
          expect(sentence).toContain(bound?.split('..').at(-1));
          return;
        }
        expect(bytes.length).toBeLessThanOrEqual(48 + 143_151);
        const header = decodeHeader(bytes);
        expect(header.numGroups).toBeLessThanOrEqual(maxGroups);
        expect(header.type & ~0x7f).toBe(0);
        // -0 is 0 on the wire
        expect(header.messageType).toBe(message.messageType + 0);
      }),
    );
  });

  it('accept exactly the legal names', () => {
    const accepts = (check: () => void): boolean => {
      try {
        check();
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        return false;
      }
    };
    fc.assert(
      fc.property(fc.oneof(anyName, groupName, privateGroup, fc.string()), (name) => {
        const legal = /^[$-~]{1,31}$/.test(name);
        expect(accepts(() => checkGroupName(name))).toBe(legal);
        expect(accepts(() => checkDestination(name))).toBe(legal || /^#[$-~]{1,10}#[$-~]{1,19}$/.test(name));
      }),
      { numRuns: 1000 },
    );
  });
});
