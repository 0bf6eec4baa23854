import fc from 'fast-check';
import { MulticastStreamRequest } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { decodeOrMalformed, MAX_REQUEST_FIELDS, Malformed } from '../../server/src/grpc/codec/malformed.js';
import { decodeBatchFrame } from '../../server/src/grpc/codec/multicast-frames.js';

const group = fc.oneof(
  fc.constantFrom('room', 'hall', '#a#b', ''),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const headers = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom('traceparent', '__proto__', ''), group), group), { maxLength: 3 })
  .map((list) => new Map(list));
const message = fc.record({
  serviceType: fc.integer({ min: 0, max: 9 }),
  groups: fc.array(group, { maxLength: 4 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  messageType: fc.oneof(fc.constant(0), fc.integer({ min: -40_000, max: 40_000 }), fc.integer()),
  selfDiscard: fc.boolean(),
  headers,
});
/** Repeated neighbours, like messages of one sender. */
const messages = fc
  .array(fc.tuple(message, fc.integer({ min: 1, max: 3 })), { maxLength: 8 })
  .map((list) => list.flatMap(([one, times]) => Array.from({ length: times }, () => ({ ...one }))));

const generated = (bytes: Buffer) =>
  decodeOrMalformed((input) => MulticastStreamRequest.decode(input), bytes);

function encoded(batch: unknown[], respond = false): Buffer {
  const frame = { $case: 'batch', value: { messages: batch, respond } };
  return Buffer.from(MulticastStreamRequest.encode({ frame } as MulticastStreamRequest).finish());
}

describe('the decoder of MulticastStream batches', () => {
  it('reads the same as the generated decoder, or leaves it to that', () => {
    fc.assert(
      fc.property(messages, fc.boolean(), (batch, respond) => {
        const bytes = encoded(batch, respond);
        const read = decodeBatchFrame(bytes);
        if (read !== undefined) expect(read).toEqual(generated(bytes));
      }),
    );
  });

  it('reads all messages with ASCII names and numbers of ordinary size by itself', () => {
    const headers = new Map([
      ['content-type', 'text/plain'],
      ['empty', ''],
    ]);
    const batch = [
      { serviceType: 5, groups: ['room'], payload: Buffer.from('one'), messageType: 0, selfDiscard: false },
      { serviceType: 5, groups: ['room'], payload: Buffer.from('two'), messageType: -7, selfDiscard: true },
      {
        serviceType: 5,
        groups: ['room'],
        payload: Buffer.from('3'),
        messageType: 0,
        selfDiscard: false,
        headers,
      },
      {
        serviceType: 5,
        groups: ['room', 'hall'],
        payload: Buffer.alloc(0),
        messageType: 0,
        selfDiscard: false,
      },
      {
        serviceType: 6,
        groups: ['hall'],
        payload: Buffer.alloc(70_000),
        messageType: 32_767,
        selfDiscard: false,
      },
      { serviceType: 0, groups: [], payload: Buffer.alloc(0), messageType: 0, selfDiscard: false },
    ].map((each) => ({ headers: new Map<string, string>(), ...each }));
    for (const respond of [false, true]) {
      const read = decodeBatchFrame(encoded(batch, respond));
      expect(read).toEqual({ frame: { $case: 'batch', value: { messages: batch, respond } } });
    }
  });

  it('never reads bytes that the generated decoder rejects or reads differently, after random changes', () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom('flip', 'cut', 'add', 'drop'), fc.nat(255));
    fc.assert(
      fc.property(
        messages,
        fc.boolean(),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (batch, respond, changes) => {
          let bytes = encoded(batch, respond);
          for (const [place, kind, value] of changes) {
            const at = bytes.length === 0 ? 0 : place % bytes.length;
            if (kind === 'flip' && bytes.length > 0) bytes[at] = value;
            if (kind === 'cut') bytes = bytes.subarray(0, at);
            if (kind === 'add')
              bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(value), bytes.subarray(at)]);
            if (kind === 'drop') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
          }
          const read = decodeBatchFrame(bytes);
          if (read === undefined) return;
          const other = generated(bytes);
          expect(other).not.toBeInstanceOf(Malformed);
          expect(read).toEqual(other);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('leaves very many messages or groups to the generated decoder, which rejects them', () => {
    const tiny = (count: number) => ({ length: count });
    const none = {
      serviceType: 0,
      groups: [],
      payload: Buffer.alloc(0),
      messageType: 0,
      selfDiscard: false,
      headers: new Map(),
    };
    const manyMessages = (count: number) => encoded(Array.from(tiny(count), () => none));
    const manyGroups = (count: number) => encoded([{ ...none, groups: Array.from(tiny(count), () => '') }]);
    expect(decodeBatchFrame(manyMessages(MAX_REQUEST_FIELDS))).toBeDefined();
    expect(decodeBatchFrame(manyGroups(MAX_REQUEST_FIELDS - 1))).toBeDefined();
    for (const bytes of [manyMessages(MAX_REQUEST_FIELDS + 1), manyGroups(MAX_REQUEST_FIELDS)]) {
      expect(decodeBatchFrame(bytes)).toBeUndefined();
      expect(generated(bytes)).toBeInstanceOf(Malformed);
    }
  });
});
