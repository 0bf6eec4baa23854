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
  encodeAccept,
  encodeAuthChoice,
  encodeAuthList,
  encodeConnectRequest,
  encodeHeader,
  encodeMulticast,
  encodeSelfLeave,
  encodeTransition,
  encodeView,
  FrameDecoder,
  type IncrementalReader,
  parsePrivateGroup,
  type ServiceTypeName,
  type ViewCause,
  WireError,
} from '../../server/src/spread/wire/index.js';
import { decodeStream } from '../support/wire/decode-stream.js';
import { buildFrame, buildViewData, type RawFrame } from '../support/wire/frame-builder.js';
import { fingerprint } from '../support/wire/message-expectation.js';
import { bytesOf, clientRecordings, loadTranscript, transcriptNames } from '../support/wire/transcripts.js';

const LEGAL = Array.from({ length: 0x7e - 0x24 + 1 }, (_, i) => String.fromCharCode(0x24 + i));
const legalName = (max: number) =>
  fc.string({ unit: fc.constantFrom(...LEGAL), minLength: 1, maxLength: max });
const groupName = legalName(31);
const privateGroup = fc.tuple(legalName(10), legalName(19)).map(([name, daemon]) => `#${name}#${daemon}`);
/** What a name field can hold: any bytes but NUL. */
const anyName = fc
  .uint8Array({ maxLength: 32 })
  .map((bytes) => Buffer.from(bytes.map((b) => b || 1)).toString('latin1'));
const destination = fc.oneof(groupName, privateGroup);
const payload = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes));
const messageType = fc.integer({ min: -32_768, max: 32_767 });
const service = fc.constantFrom<ServiceTypeName>(
  'UNRELIABLE',
  'RELIABLE',
  'FIFO',
  'CAUSAL',
  'AGREED',
  'SAFE',
);
const groupId = fc.tuple(fc.nat(0xffffffff), fc.integer(), fc.integer()).map((words) => ({ words }));
const bigEndian = fc.boolean();

const multicast = fc.record({
  privateGroup,
  serviceType: service,
  selfDiscard: fc.boolean(),
  groups: fc.array(destination, { minLength: 1, maxLength: 43 }),
  messageType,
  payload,
});

const view = fc
  .record({
    group: anyName,
    groupId,
    cause: fc.constantFrom<ViewCause>('JOIN', 'LEAVE', 'DISCONNECT', 'NETWORK'),
    members: fc.array(privateGroup, { maxLength: 20 }),
    vsSets: fc.array(fc.array(privateGroup, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
    own: fc.nat(),
  })
  .map(({ own, ...fields }) => ({ ...fields, ownSetIndex: own % fields.vsSets.length }));

/** Some frames of a daemon, as bytes. */
const daemonStream = fc
  .array(
    fc.oneof(
      multicast.map((fields) => Buffer.concat(encodeMulticast(fields))),
      fc.tuple(view, bigEndian).map(([fields, big]) => encodeView(fields, { bigEndian: big })),
      fc.tuple(anyName, bigEndian).map(([group, big]) => encodeSelfLeave(group, { bigEndian: big })),
      fc
        .tuple(anyName, groupId, bigEndian)
        .map(([group, id, big]) => encodeTransition(group, id, { bigEndian: big })),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((frames) => Buffer.concat(frames));

const cuts = (stream: Buffer) =>
  fc.array(fc.nat(stream.length), { maxLength: 60 }).map((places) => places.sort((a, b) => a - b));

describe('encode and decode are inverse', () => {
  it('for messages', () => {
    fc.assert(
      fc.property(multicast, (fields) => {
        const { messages, left } = decodeStream(Buffer.concat(encodeMulticast(fields)));
        expect(left).toBe(0);
        const [message] = messages;
        expect(message).toMatchObject({
          kind: 'regular',
          sender: fields.privateGroup,
          groups: fields.groups,
          serviceType: fields.serviceType,
          selfDiscard: fields.selfDiscard,
          messageType: fields.messageType,
          endianMismatch: false,
        });
        expect(message?.kind === 'regular' && message.payload.equals(fields.payload)).toBe(true);
      }),
    );
  });

  it('for views, transitions and self-leaves, in both byte orders', () => {
    fc.assert(
      fc.property(view, groupId, bigEndian, (fields, oldId, big) => {
        const options = { bigEndian: big };
        const stream = Buffer.concat([
          encodeView(fields, options),
          encodeTransition(fields.group, oldId, options),
          encodeSelfLeave(fields.group, options),
        ]);
        expect(decodeStream(stream).messages).toMatchObject([
          { kind: 'view', ...fields },
          { kind: 'transitional', group: fields.group, groupId: oldId },
          { kind: 'selfLeave', group: fields.group },
        ]);
      }),
    );
  });

  it('for headers of any numbers, and equal to the independent builder', () => {
    const word = fc.integer();
    const fields = fc.record({
      type: fc.nat(0xffffffff),
      privateGroup: anyName,
      numGroups: word,
      messageType,
      dataLength: word,
    });
    fc.assert(
      fc.property(fields, bigEndian, (header, big) => {
        const bytes = Buffer.alloc(48);
        encodeHeader(bytes, 0, header, !big);
        expect(bytes.equals(buildFrame({ ...header, bigEndian: big }))).toBe(true);
        expect(decodeHeader(bytes)).toMatchObject({
          ...header,
          type: (header.type & 0x7fffff7f) >>> 0,
          littleEndian: !big,
          endianMismatch: big,
        });
      }),
    );
  });

  it('for the handshake, cut anywhere', () => {
    const request = fc.record({
      name: fc.oneof(fc.constant(''), legalName(10)),
      membership: fc.boolean(),
      priority: fc.constantFrom(0 as const, 1 as const),
    });
    const methods = fc.array(legalName(20), { minLength: 1, maxLength: 2 });
    const version = fc.record({
      major: fc.integer({ min: 3, max: 127 }),
      minor: fc.nat(127),
      patch: fc.nat(127),
    });
    fc.assert(
      fc.property(
        request,
        methods,
        version,
        privateGroup,
        fc.nat(),
        (fields, auth, daemonVersion, group, cut) => {
          expect(readCut(new ConnectRequestReader(), encodeConnectRequest(fields), cut)).toMatchObject(
            fields,
          );
          expect(readCut(new AuthListReader(), encodeAuthList(auth), cut)).toEqual(auth);
          expect(readCut(new AuthChoiceReader(), encodeAuthChoice(auth), cut)).toEqual(auth);
          const accepted = { daemonVersion, privateGroup: group };
          expect(readCut(new AcceptReader(), encodeAccept(accepted), cut)).toEqual(accepted);
        },
      ),
    );
  });

  it('for private groups', () => {
    fc.assert(
      fc.property(legalName(10), legalName(19), (name, daemon) => {
        expect(parsePrivateGroup(`#${name}#${daemon}`)).toEqual({ name, daemon });
      }),
    );
  });
});

/** What `reader` reads from `bytes` in two pieces. */
function readCut<T>(reader: IncrementalReader<T>, bytes: Buffer, place: number): T {
  const cut = place % bytes.length;
  expect(reader.push(bytes.subarray(0, cut))).toBe(false);
  expect(reader.push(bytes.subarray(cut))).toBe(true);
  expect(reader.rest.length).toBe(0);
  return reader.value;
}

describe('any cut of a stream decodes alike', () => {
  it('made up', () => {
    fc.assert(
      fc.property(
        daemonStream.chain((stream) => fc.tuple(fc.constant(stream), cuts(stream))),
        ([stream, places]) => {
          const whole = decodeStream(stream);
          const pieces = decodeStream(stream, places);
          expect(pieces.messages.map(fingerprint)).toEqual(whole.messages.map(fingerprint));
          expect([whole.left, pieces.left]).toEqual([0, 0]);
          expect(pieces.copied).toBeLessThanOrEqual(stream.length);
        },
      ),
    );
  });

  it('recorded', () => {
    const streams = transcriptNames()
      .flatMap((name) => clientRecordings(loadTranscript(name)))
      .map((client) => bytesOf(client.session, 'recv'))
      .filter((stream) => stream.length > 0 && stream.length < 200_000);
    const wholes = new Map(streams.map((stream) => [stream, decodeStream(stream)]));
    fc.assert(
      fc.property(
        fc.constantFrom(...streams).chain((stream) => fc.tuple(fc.constant(stream), cuts(stream))),
        ([stream, places]) => {
          const whole = wholes.get(stream)!;
          const pieces = decodeStream(stream, places);
          expect(pieces.messages.map(fingerprint)).toEqual(whole.messages.map(fingerprint));
          expect(pieces.left).toBe(whole.left);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('hostile bytes', () => {
  /** Decodes until the end or an error; counts the memory that the decoder took. */
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

  it('in headers: an error or patience, and memory within the limits', () => {
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
  it('of any names, counts and lengths either fit what a daemon takes, or are refused with field and bound', () => {
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
          expect(sentence).toContain(bound);
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

  it('take exactly the names that were said to be legal', () => {
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
