import { describe, expect, it } from 'vitest';
import {
  decodeMapMessage,
  encodeMapMessage,
  type MapMessage,
} from '../../../../clients/typescript/src/blocks/map-messages.js';

const MESSAGES: readonly [string, MapMessage][] = [
  ['0200000008000161', { kind: 'delete', id: 8, key: 'a' }],
  ['03ffffffff', { kind: 'clear', id: 0xffffffff }],
  ['0400053120322033', { kind: 'need', viewId: '1 2 3' }],
  ['05000531203220330002236100022362', { kind: 'begin', viewId: '1 2 3', members: ['#a', '#b'] }],
  ['06000176000161000000027879', { kind: 'chunk', viewId: 'v', entries: [['a', Buffer.from('xy')]] }],
  ['0700017600000003', { kind: 'end', viewId: 'v', chunks: 3 }],
];

describe('the messages of a map', () => {
  it.each(MESSAGES)('%s', (hex, message) => {
    expect(encodeMapMessage(message).toString('hex')).toBe(hex);
    expect(decodeMapMessage(Buffer.from(hex, 'hex'))).toEqual(message);
  });

  it('carry values of any bytes', () => {
    const message: MapMessage = { kind: 'set', id: 1, key: 'ä', value: Buffer.from([0, 255, 128]) };
    expect(encodeMapMessage(message).toString('hex')).toBe('01000000010002c3a400ff80');
    expect(decodeMapMessage(encodeMapMessage(message))).toEqual(message);
  });

  it('are not read from a truncated or malformed payload', () => {
    for (const [hex, { kind }] of MESSAGES) {
      const bytes = Buffer.from(hex, 'hex');
      for (let length = 0; length < bytes.length; length++) {
        const message = decodeMapMessage(bytes.subarray(0, length));
        // A shorter list is a valid message too.
        if (message !== undefined) expect(['begin', 'chunk']).toContain(kind);
      }
    }
    expect(decodeMapMessage(Buffer.from('0800', 'hex'))).toBeUndefined();
    expect(decodeMapMessage(Buffer.from('02000000080001ff', 'hex'))).toBeUndefined();
    expect(decodeMapMessage(Buffer.from('03ffffffff00', 'hex'))).toBeUndefined();
  });
});
