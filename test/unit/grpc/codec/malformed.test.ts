import { ConnectRequest, MailboxServiceService, MulticastMessage } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import {
  decodeOrMalformed,
  MAX_REQUEST_FIELDS,
  Malformed,
  refuseMalformed,
} from '../../../../server/src/grpc/codec/malformed.js';

const decode = (bytes: number[]) =>
  decodeOrMalformed((reader) => ConnectRequest.decode(reader), Uint8Array.from(bytes));
const DAEMON = (1 << 3) | 2;

describe('a request that is not a message of the contract', () => {
  it.each([
    ['a string that goes on past the end', [DAEMON, 5, 0x61]],
    ['a tag without a value', [DAEMON]],
    ['a length without end', [DAEMON, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a nested message that goes on past the end', [(7 << 3) | 2, 9, 8, 1]],
    ['a tag with field number 0', [0x00, 0x01]],
    ['the end of a group that did not begin', [(3 << 3) | 4, DAEMON, 1, 0x61]],
    ['a wire type that does not exist', [(1 << 3) | 7, 0]],
    ['a number that is cut off', [4 << 3, 0x80]],
    ['a fixed64 that is cut off', [((100 << 3) & 0x7f) | 0x80 | 1, 6, 1, 2]],
  ])('%s', (_, bytes) => {
    expect(decode(bytes)).toBeInstanceOf(Malformed);
  });

  it.each([
    ['an illegal byte', [0xff]],
    ['a cut sequence', [0xe2, 0x82]],
    ['an overlong form', [0xc0, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
  ])('a string that is not valid UTF-8: %s', (_, bytes) => {
    expect(decode([DAEMON, bytes.length, ...bytes])).toMatchObject({
      problem: expect.stringContaining('UTF-8'),
    });
    expect(decode([DAEMON, 1, 0x61])).toMatchObject({ daemon: 'a' });
  });

  it('is detected for long strings too', () => {
    const text = [...Buffer.alloc(100, 0x61), 0xff];
    expect(decode([DAEMON, text.length, ...text])).toBeInstanceOf(Malformed);
  });
});

describe('a valid request', () => {
  it('ignores unknown fields and keeps a leading U+FEFF', () => {
    expect(decode([((90 << 3) & 0x7f) | 0x80, 5, 1, DAEMON, 3, 0xef, 0xbb, 0xbf])).toMatchObject({
      daemon: '\ufeff',
    });
  });

  it('may be empty', () => {
    expect(decode([])).toMatchObject({ daemon: '', priority: 0 });
  });
});

describe('a request of very many fields', () => {
  const groups = (count: number) =>
    decodeOrMalformed(
      (reader) => MulticastMessage.decode(reader),
      Buffer.alloc(2 * count, Buffer.of((2 << 3) | 2, 0)),
    );

  it('is read up to the limit', () => {
    for (const count of [MAX_REQUEST_FIELDS - 1, MAX_REQUEST_FIELDS])
      expect(groups(count)).toMatchObject({ groups: { length: count } });
    expect(groups(MAX_REQUEST_FIELDS + 1)).toMatchObject({ problem: 'it has more than 200000 fields' });
  });
});

describe('refuseMalformed', () => {
  it('wraps every deserializer without other changes', () => {
    const wrapped = refuseMalformed(MailboxServiceService);
    expect(Object.keys(wrapped)).toEqual(Object.keys(MailboxServiceService));
    for (const [name, method] of Object.entries(wrapped)) {
      const original = MailboxServiceService[name as keyof typeof MailboxServiceService];
      expect(method.path).toBe(original.path);
      expect(method.responseSerialize).toBe(original.responseSerialize);
      expect(method.requestDeserialize(Buffer.from([0x07]))).toBeInstanceOf(Malformed);
    }
  });
});
