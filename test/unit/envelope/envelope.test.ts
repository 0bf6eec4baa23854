import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginsLikeEnvelope,
  encodeEnvelope,
  HEADER_OVERHEAD,
  MAX_HEADER_BLOCK,
  openEnvelope,
  payloadStart,
} from '../../../server/src/envelope/envelope.js';
import { payloadWithHeaders } from '../../../server/src/grpc/codec/message-headers.js';
import { Random } from '../../chaos/random.js';
import { headersOf, headerVectors } from './vectors.js';

const MAGIC = Buffer.from('89535053480d0a', 'hex');

const headers = fc
  .uniqueArray(
    fc.tuple(
      fc.oneof(fc.constantFrom('__proto__', 'traceparent', '0'), fc.stringMatching(/^[a-z0-9._-]{1,64}$/)),
      fc.string({ unit: 'binary', maxLength: 100 }),
    ),
    { maxLength: 12, selector: ([name]) => name },
  )
  .map((list) => new Map(list));
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.concat([MAGIC, bytes])),
  fc.nat({ max: 7 }).map((length) => MAGIC.subarray(0, length)),
  fc.tuple(headers, fc.uint8Array({ maxLength: 9 })).map(([list, bytes]) => encodeEnvelope(list, bytes)),
);

describe('the test vectors', () => {
  it.each(headerVectors.sent)('a sent message has the documented bytes: $name', (vector) => {
    const sent = payloadWithHeaders(headersOf(vector), Buffer.from(vector.payload, 'hex'), 'on');
    expect(sent.toString('hex')).toBe(vector.wire);
  });

  it.each([...headerVectors.sent, ...headerVectors.received])(
    'a receiver reads the documented message: $name',
    (vector) => {
      const got = openEnvelope(Buffer.from(vector.wire, 'hex'));
      expect([...got.headers].sort()).toEqual([...headersOf(vector)].sort());
      expect(got.payload.toString('hex')).toBe(vector.payload);
    },
  );
});

describe('an envelope', () => {
  it('gives back every payload with every headers', () => {
    fc.assert(
      fc.property(headers, payload, (list, bytes) => {
        const got = openEnvelope(payloadWithHeaders(list, bytes, 'on'));
        expect(got.payload.equals(bytes)).toBe(true);
        expect(new Map(got.headers)).toEqual(list);
      }),
      { numRuns: 2000 },
    );
  });

  it('is not added to a payload without headers that does not begin like one', () => {
    fc.assert(
      fc.property(payload, (bytes) => {
        const sent = payloadWithHeaders(new Map(), bytes, 'on');
        if (beginsLikeEnvelope(bytes)) expect(sent.length).toBe(bytes.length + 10);
        else expect(sent).toBe(bytes);
      }),
    );
  });

  it('that is cut off at any byte of its headers is a payload without headers', () => {
    fc.assert(
      fc.property(headers, payload, (list, bytes) => {
        const whole = encodeEnvelope(list, bytes);
        const start = payloadStart(whole);
        for (let length = 0; length < start; length++) {
          const cut = whole.subarray(0, length);
          const got = openEnvelope(cut);
          if (got.payload !== cut || got.headers.size > 0) throw new Error(`opened at ${length} bytes`);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('of any other version is a payload without headers', () => {
    const envelope = encodeEnvelope(new Map([['a', 'b']]), Buffer.from('payload'));
    for (let version = 0; version < 256; version++) {
      envelope[7] = version;
      expect(payloadStart(envelope) > 0).toBe(version === 1);
    }
  });

  it('has at most 8,192 bytes of headers', () => {
    const of = (bytes: number) => new Map([['n', 'v'.repeat(bytes - HEADER_OVERHEAD - 1)]]);
    const largest = encodeEnvelope(of(MAX_HEADER_BLOCK), Buffer.from('payload'));
    expect(openEnvelope(largest).payload.toString()).toBe('payload');
    expect(() => encodeEnvelope(of(MAX_HEADER_BLOCK + 1), Buffer.alloc(0))).toThrow(RangeError);
    const larger = Buffer.concat([largest.subarray(0, 10), Buffer.alloc(9000)]);
    larger.writeUInt16BE(MAX_HEADER_BLOCK + 4, 8);
    largest.copy(larger, 10, 10, 10 + MAX_HEADER_BLOCK);
    larger.write('m', 11 + MAX_HEADER_BLOCK);
    larger[10 + MAX_HEADER_BLOCK] = 1;
    expect(openEnvelope(larger).payload).toBe(larger);
  });

  it('rejects names that a receiver would reject', () => {
    for (const name of ['', 'A', 'a b', 'é', 'n'.repeat(65)])
      expect(() => encodeEnvelope(new Map([[name, '']]), Buffer.alloc(0))).toThrow(RangeError);
  });

  it('with 100,000 random changes is either the same message or a payload, and never an error', () => {
    const random = new Random(1);
    const below = (bound: number) => random.int(0, bound - 1);
    const seeds = [...headerVectors.sent, ...headerVectors.received].map(({ wire }) =>
      Buffer.from(wire, 'hex'),
    );
    let opened = 0;
    for (let run = 0; run < 100_000; run++) {
      const bytes = Buffer.from(seeds[below(seeds.length)]!);
      for (let changes = 1 + below(3); changes > 0 && bytes.length > 0; changes--)
        bytes[below(bytes.length)] = below(256);
      const cut = below(4) === 0 ? bytes.subarray(0, below(bytes.length + 1)) : bytes;
      const got = openEnvelope(cut);
      const start = payloadStart(cut);
      if (start === 0) {
        if (got.payload !== cut || got.headers.size > 0) throw new Error(`changed: ${cut.toString('hex')}`);
        continue;
      }
      opened++;
      // Whatever was opened can be sent again, and then arrives as the same message.
      const again = openEnvelope(encodeEnvelope(got.headers, got.payload));
      if (!again.payload.equals(cut.subarray(start)) || !sameHeaders(got.headers, again.headers))
        throw new Error(`not the same message: ${cut.toString('hex')}`);
    }
    expect(opened).toBeGreaterThan(1000);
    expect(opened).toBeLessThan(99_000);
  });
});

function sameHeaders(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}
