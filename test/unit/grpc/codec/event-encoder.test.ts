import * as fc from 'fast-check';
import { Event, EventBatch } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from '../../../../server/src/envelope/envelope.js';
import { eventEncoder } from '../../../../server/src/grpc/codec/event-encoder.js';
import { eventMessage } from '../../../../server/src/grpc/codec/event-message.js';
import { sizeOfVarint, writeVarint } from '../../../../server/src/grpc/codec/varint.js';
import type { EventSpace, MailboxEvent } from '../../../../server/src/mailbox/event.js';

/** A queue's memory for one event, prefilled so that missing writes are visible. */
class OneEvent implements EventSpace {
  buffer = Buffer.alloc(0);
  reserve(bytes: number): number {
    const at = 3;
    this.buffer = Buffer.alloc(at + bytes + 5, 0xee);
    this.bytes = this.buffer.subarray(at, at + bytes);
    return at;
  }
  bytes = Buffer.alloc(0);
}

function encoded(
  sequence: number,
  ms: number,
  event: MailboxEvent,
  privateGroup: string,
  headers: 'on' | 'off' = 'on',
): Buffer {
  const space = new OneEvent();
  eventEncoder(headers)(space, sequence, ms, event, privateGroup);
  expect(space.buffer.subarray(0, 3)).toEqual(Buffer.alloc(3, 0xee));
  expect(space.buffer.subarray(-5)).toEqual(Buffer.alloc(5, 0xee));
  return space.bytes;
}

/** Names are bytes; a daemon may send all 256 values. */
const name = fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const bytes = fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all));
const headers = fc.uniqueArray(
  fc.tuple(fc.stringMatching(/^[a-z0-9._-]{1,64}$/), fc.string({ unit: 'binary', maxLength: 200 })),
  { maxLength: 8, selector: ([header]) => header },
);
const payload = fc.oneof(
  { weight: 3, arbitrary: bytes },
  {
    weight: 1,
    arbitrary: fc.tuple(headers, bytes).map(([list, rest]) => encodeEnvelope(new Map(list), rest)),
  },
);
const serviceType = fc.constantFrom('UNRELIABLE', 'RELIABLE', 'FIFO', 'CAUSAL', 'AGREED', 'SAFE' as const);
const int16 = fc.integer({ min: -32768, max: 32767 });
const int32 = fc.integer();
const uint32 = fc.nat({ max: 0xffffffff });
const groupId = fc.record({ words: fc.tuple(uint32, int32, int32) });
const sequence = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);
const mode = fc.constantFrom('on', 'off' as const);
const ms = fc.oneof(fc.nat({ max: 4_102_444_800_000 }), fc.constantFrom(0, 999, 1000, 1_700_000_000_000));

const regular = fc.record({
  kind: fc.constant('regular' as const),
  sender: name,
  groups: fc.array(name, { maxLength: 50 }),
  serviceType,
  selfDiscard: fc.boolean(),
  rawType: fc.oneof(fc.constant(0), uint32, int32),
  messageType: int16,
  endianMismatch: fc.boolean(),
  payload,
});
const view = fc.record({
  kind: fc.constant('view' as const),
  group: name,
  groupId,
  cause: fc.constantFrom('JOIN', 'LEAVE', 'DISCONNECT', 'NETWORK' as const),
  members: fc.array(name),
  vsSets: fc.array(fc.array(name, { maxLength: 5 }), { maxLength: 5 }),
  ownSetIndex: fc.nat({ max: 5 }),
  changed: fc.array(name),
});
const others = fc.oneof(
  fc.record({ kind: fc.constant('transitional' as const), group: name, groupId }),
  fc.record({ kind: fc.constant('selfLeave' as const), group: name }),
  fc.record({
    kind: fc.constant('rejected' as const),
    sender: name,
    groups: fc.array(name, { maxLength: 5 }),
    refused: fc.constantFrom('JOIN', 'LEAVE', 'MESSAGE' as const),
    serviceType: fc.option(serviceType, { nil: undefined }),
    selfDiscard: fc.boolean(),
    messageType: int16,
    endianMismatch: fc.boolean(),
    payload,
    rawOldType: uint32,
  }),
  fc.record({
    kind: fc.constant('connectionLost' as const),
    privateGroup: name,
    groups: fc.array(name),
    spreadCode: int32,
  }),
  fc.record({
    kind: fc.constant('connectionRestored' as const),
    previousPrivateGroup: name,
    privateGroup: name,
    groups: fc.array(name),
    daemon: name,
  }),
) as fc.Arbitrary<MailboxEvent>;

describe('eventEncoder', () => {
  it.each([
    ['regular messages', regular as fc.Arbitrary<MailboxEvent>, 2000],
    ['views', view as fc.Arbitrary<MailboxEvent>, 300],
    ['all other kinds', others, 500],
  ])('writes %s as the generated code does', (_, event, numRuns) => {
    fc.assert(
      fc.property(sequence, ms, event, name, mode, (number, at, what, privateGroup, on) => {
        const message = eventMessage(number, at, what, privateGroup, on);
        const element = Buffer.from(EventBatch.encode({ events: [message] }).finish());
        expect(encoded(number, at, what, privateGroup, on)).toEqual(element);
      }),
      { numRuns },
    );
  });

  it('writes all payload sizes around the limits of its length field', () => {
    for (const size of [0, 1, 127, 128, 16_383, 16_384, 143_119]) {
      const event = { ...sample, payload: Buffer.alloc(size, 7) };
      const element = encoded(1, 0, event, '#a#b');
      const { events } = EventBatch.decode(element);
      expect(events).toHaveLength(1);
      expect(events[0]?.kind).toMatchObject({ $case: 'regularMessage', value: { payload: event.payload } });
    }
  });

  it('writes elements whose concatenation is a batch', () => {
    const parts = [1, 2, 3].map((number) => encoded(number, 5, sample, '#a#b'));
    const { events } = EventBatch.decode(Buffer.concat(parts));
    expect(events.map((event) => event.sequence)).toEqual([1n, 2n, 3n]);
  });

  it('writes the own index of a view, and -1 for a mailbox outside of it', () => {
    const event: MailboxEvent = {
      kind: 'view',
      group: 'g',
      groupId: { words: [1, 2, 3] },
      cause: 'LEAVE',
      members: ['#a#n', '#b#n'],
      vsSets: [['#c#n']],
      ownSetIndex: 0,
      changed: ['#c#n'],
    };
    const ownIndex = (privateGroup: string) => {
      const { kind } = Event.decode(Event.encode(eventMessage(1, 0, event, privateGroup, 'on')).finish());
      return kind?.$case === 'membershipView' ? kind.value.ownIndex : undefined;
    };
    expect(ownIndex('#b#n')).toBe(1);
    expect(ownIndex('#x#n')).toBe(-1);
  });
});

const sample: MailboxEvent = {
  kind: 'regular',
  sender: '#a#n',
  groups: ['g'],
  serviceType: 'AGREED',
  selfDiscard: false,
  rawType: 0x10,
  messageType: 0,
  endianMismatch: false,
  payload: Buffer.from('hello'),
};

describe('writeVarint', () => {
  it('writes as many bytes as sizeOfVarint returns, and protobuf reads them', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeNat(),
          fc.integer({ min: 0, max: 52 }).map((bits) => 2 ** bits),
        ),
        (value) => {
          const buffer = Buffer.alloc(10);
          const end = writeVarint(buffer, 0, value);
          expect(end).toBe(sizeOfVarint(value));
          let read = 0n;
          for (let i = end - 1; i >= 0; i--) read = (read << 7n) | BigInt(buffer[i]! & 0x7f);
          expect(read).toBe(BigInt(value));
        },
      ),
    );
  });
});
