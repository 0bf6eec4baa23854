import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeHeader, hintOf, messageTypeOf } from '../../server/src/spread/wire/index.js';
import { buildFrame } from '../support/wire/frame-builder.js';

describe('decodeHeader', () => {
  for (const bigEndian of [false, true]) {
    it(`reads a ${bigEndian ? 'big' : 'little'}-endian header`, () => {
      const bytes = buildFrame({
        type: 0x1044,
        privateGroup: '#a#localhost',
        numGroups: 100,
        messageType: -300,
        dataLength: 143_120,
        bigEndian,
      });
      expect(decodeHeader(bytes)).toEqual({
        type: 0x1044,
        privateGroup: '#a#localhost',
        numGroups: 100,
        hint: bytes.readUInt32LE(40),
        messageType: -300,
        endianMismatch: bigEndian,
        dataLength: 143_120,
        littleEndian: !bigEndian,
      });
    });
  }

  it('keeps the byte order of the hint separate from that of the frame', () => {
    const bytes = buildFrame({ type: 2, messageType: 5, bigEndianHint: true });
    expect(decodeHeader(bytes)).toMatchObject({
      littleEndian: true,
      endianMismatch: true,
      messageType: 5,
      hint: 0x00050000,
    });
  });

  it('reads signed counts, so that invalid counts are negative', () => {
    expect(decodeHeader(buildFrame({ type: 2, numGroups: -1, dataLength: -(2 ** 31) }))).toMatchObject({
      numGroups: -1,
      dataLength: -(2 ** 31),
    });
  });

  it('keeps all type bits except the marker', () => {
    expect(decodeHeader(buildFrame({ type: 0x7fffff7f })).type).toBe(0x7fffff7f);
  });

  it('reads at an offset, and rejects less than 48 bytes', () => {
    const bytes = Buffer.concat([Buffer.alloc(7), buildFrame({ type: 4, privateGroup: 'g' })]);
    expect(decodeHeader(bytes, 7)).toMatchObject({ type: 4, privateGroup: 'g' });
    expect(() => decodeHeader(bytes, 8)).toThrow(RangeError);
  });
});

describe('encodeHeader', () => {
  for (const littleEndian of [true, false]) {
    it(`writes what an independent builder writes, ${littleEndian ? 'little' : 'big'}-endian`, () => {
      const fields = {
        type: 0x50,
        privateGroup: '#me#daemon',
        numGroups: 3,
        messageType: -2,
        dataLength: 77,
      };
      const bytes = Buffer.alloc(60, 0xaa);
      encodeHeader(bytes, 6, fields, littleEndian);
      expect(bytes.subarray(6, 54)).toEqual(buildFrame({ ...fields, bigEndian: !littleEndian }));
      expect([bytes[5], bytes[54]]).toEqual([0xaa, 0xaa]);
    });
  }
});

describe('the message type in a hint', () => {
  it.each([
    [0, 0x80000080],
    [1, 0x80000180],
    [32_767, 0x807fff80],
    [-1, 0x80ffff80],
    [-32_768, 0x80800080],
  ])('%d is %#x', (messageType, hint) => {
    expect(hintOf(messageType)).toBe(hint);
    expect(messageTypeOf(hint)).toBe(messageType);
  });
});
