import fc from 'fast-check';
import { MulticastStreamRequest, ReceiveResponse } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { decodeResponse, type ReceivedResponse } from '../../clients/typescript/src/batch-decoder.js';
import { encodeBatch, serializeFrame } from '../../clients/typescript/src/batch-encoder.js';
import { toSpreadEvent } from '../../clients/typescript/src/from-event.js';

const name = fc.oneof(fc.constantFrom('room', '#a#b', ''), fc.string({ unit: 'binary', maxLength: 40 }));
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const headers = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom('traceparent', '__proto__', ''), name), name), { maxLength: 3 })
  .map((list) => new Map(list));
const regular = fc.record({
  sender: name,
  groups: fc.array(name, { maxLength: 3 }),
  serviceType: fc.integer({ min: 0, max: 200 }),
  messageType: fc.oneof(fc.constant(0), fc.integer()),
  payload: bytes,
  endianMismatch: fc.boolean(),
  selfDiscard: fc.boolean(),
  spreadType: fc.nat({ max: 0xffff_ffff }),
  headers,
});
const kind = fc.oneof(
  { weight: 5, arbitrary: regular.map((value) => ({ $case: 'regularMessage', value })) },
  name.map((group) => ({ $case: 'selfLeave', value: { group } })),
  fc.constant(undefined),
);
const event = fc.record({
  sequence: fc.oneof(fc.bigInt({ min: 0n, max: 1n << 20n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
  receivedAt: fc.option(
    fc.record({
      seconds: fc.bigInt({ min: 0n, max: 2n ** 33n }),
      nanos: fc.integer({ min: 0, max: 999 }).map((ms) => ms * 1_000_000),
    }),
    { nil: undefined },
  ),
  kind,
});
/** Repeated neighbours, like messages of one sender. */
const events = fc
  .array(fc.tuple(event, fc.integer({ min: 1, max: 3 })), { maxLength: 6 })
  .map((list) => list.flatMap(([one, times]) => Array.from({ length: times }, () => one)));

function encoded(batch: unknown[]): Buffer {
  const frame = { $case: 'batch', value: { events: batch } };
  return Buffer.from(ReceiveResponse.encode({ frame } as ReceiveResponse).finish());
}

/** Decodes with the generated code only. */
function decodedPlainly(input: Buffer): ReceivedResponse {
  const { frame } = ReceiveResponse.decode(input);
  if (frame?.$case !== 'batch') return { frame };
  const list = frame.value.events.map((one) => ({ sequence: one.sequence, event: toSpreadEvent(one) }));
  return { frame: { $case: 'events', events: list } };
}

function outcome<T>(action: () => T): { value: T } | { threw: true } {
  try {
    return { value: action() };
  } catch {
    return { threw: true };
  }
}

/**
 * Whether the generated code keeps every field. It accepts tags that no field can have and lengths that leave a
 * nested message, and its result for the remaining bytes is then meaningless.
 */
function isWhole(input: Buffer): boolean {
  const decoded = outcome(() => ReceiveResponse.decode(input));
  return 'value' in decoded && Buffer.from(ReceiveResponse.encode(decoded.value).finish()).equals(input);
}

describe('the decoder of Receive responses', () => {
  it('returns the same as the generated code', () => {
    fc.assert(
      fc.property(events, (batch) => {
        const input = encoded(batch);
        expect(decodeResponse(input)).toEqual(decodedPlainly(input));
      }),
    );
  });

  it('returns the same as the generated code for valid messages after random changes', () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom('flip', 'cut', 'add', 'drop'), fc.nat(255));
    fc.assert(
      fc.property(events, fc.array(change, { minLength: 1, maxLength: 3 }), (batch, changes) => {
        let input = encoded(batch);
        for (const [place, how, value] of changes) {
          const at = input.length === 0 ? 0 : place % input.length;
          if (how === 'flip' && input.length > 0) input[at] = value;
          if (how === 'cut') input = input.subarray(0, at);
          if (how === 'add')
            input = Buffer.concat([input.subarray(0, at), Buffer.of(value), input.subarray(at)]);
          if (how === 'drop') input = Buffer.concat([input.subarray(0, at), input.subarray(at + 1)]);
        }
        const decoded = outcome(() => decodeResponse(input));
        if (isWhole(input)) expect(decoded).toEqual({ value: decodedPlainly(input) });
      }),
      { numRuns: 2000 },
    );
  });

  it('does not retain neighbors of a small payload', () => {
    const one = (payload: Buffer) => ({
      sequence: 1n,
      receivedAt: { seconds: 1n, nanos: 0 },
      kind: {
        $case: 'regularMessage',
        value: {
          sender: '#a#b',
          groups: ['g'],
          serviceType: 5,
          messageType: 0,
          payload,
          endianMismatch: false,
          selfDiscard: false,
          spreadType: 16,
          headers: new Map(),
        },
      },
    });
    const input = encoded([one(Buffer.alloc(100, 'a')), one(Buffer.alloc(100_000, 'b'))]);
    const { frame } = decodeResponse(input);
    if (frame?.$case !== 'events') throw new Error('no batch');
    const [small, large] = frame.events.map(({ event: got }) => (got as { payload?: Buffer }).payload);
    expect(small?.buffer).not.toBe(input.buffer);
    expect(large?.buffer).toBe(input.buffer);
  });
});

describe('the encoder of MulticastStream frames', () => {
  const message = fc.record({
    serviceType: fc.integer({ min: 0, max: 7 }),
    groups: fc.array(name, { maxLength: 3 }),
    payload: bytes,
    messageType: fc.oneof(fc.constant(0), fc.integer({ min: -0x7fff_ffff, max: 0x7fff_ffff })),
    selfDiscard: fc.boolean(),
    headers,
  });

  it('writes the same as the generated encoder', () => {
    const batch = fc
      .array(fc.tuple(message, fc.integer({ min: 1, max: 3 })), { maxLength: 8 })
      .map((list) => list.flatMap(([one, times]) => Array.from({ length: times }, () => one)));
    const frame = fc.tuple(batch, fc.boolean()).map(([messages, respond]) => ({ messages, respond }));
    fc.assert(
      fc.property(frame, (value) => {
        const plain = MulticastStreamRequest.encode({ frame: { $case: 'batch', value } }).finish();
        const bytes = encodeBatch(value, (size, fill) => {
          const buffer = Buffer.alloc(size, 0xff);
          fill(buffer);
          return buffer;
        });
        expect(bytes.equals(plain)).toBe(true);
      }),
    );
  });

  it('leaves frames that are not batches to the generated encoder', () => {
    const open = { $case: 'open' as const, value: { mailboxId: 'm', respondsOnRequest: true } };
    const bytes = serializeFrame({ frame: open });
    expect(MulticastStreamRequest.decode(bytes).frame).toEqual(open);
  });
});
