import { describe, expect, it } from 'vitest';
import { checkHeader } from '../../../server/src/daemon/header-check.js';
import { decodeHeader } from '../../../server/src/spread/wire/index.js';
import { buildFrame, type RawFrame } from '../../support/wire/frame-builder.js';

const own = '#abcdefghij#daemon-of-19-bytes~';
const check = (frame: Partial<RawFrame>, patch?: (bytes: Buffer) => void) => {
  const bytes = buildFrame({ type: 0x02, privateGroup: own, ...frame });
  patch?.(bytes);
  return () => checkHeader(decodeHeader(bytes), own);
};

describe('checkHeader', () => {
  it.each([0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x10000, 0x20000, 0x40000])(
    'accepts type %i, also with SELF_DISCARD',
    (type) => {
      expect(check({ type })).not.toThrow();
      expect(check({ type: type | 0x40 })).not.toThrow();
      expect(check({ type, bigEndian: true })).not.toThrow();
    },
  );

  it('accepts exactly one of the nine actions', () => {
    const actions = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x10000, 0x20000, 0x40000];
    for (const one of actions)
      for (const other of actions)
        if (one !== other) expect(check({ type: one | other })).toThrow(/exactly one/);
    expect(check({ type: 0 })).toThrow(/exactly one/);
  });

  it('rejects each membership, reject and internal bit, and accepts those of the flush library', () => {
    for (let bit = 8; bit < 31; bit++) {
      const type = (0x02 | (1 << bit)) >>> 0;
      if (bit >= 16 && bit <= 18) expect(check({ type })).toThrow(/exactly one/);
      else if (bit < 24) expect(check({ type })).toThrow(/only daemons/);
      else expect(check({ type })).not.toThrow();
    }
  });

  it('accepts any message type in both byte orders, but no other bit of the hint', () => {
    for (const messageType of [0, -1, 32767, -32768]) {
      expect(check({ messageType })).not.toThrow();
      expect(check({ messageType, bigEndianHint: true })).not.toThrow();
    }
    for (let bit = 0; bit < 32; bit++) {
      const allowed = (0x80ffff80 & (1 << bit)) !== 0;
      const refused = check({ hint: (0x80000080 | (1 << bit)) >>> 0 });
      if (allowed) expect(refused).not.toThrow();
      else expect(refused).toThrow(/hint/);
    }
  });

  it('rejects other private groups; the last byte of the field does not count', () => {
    expect(own).toHaveLength(31);
    expect(check({}, (bytes) => bytes.writeUInt8(0x41, 35))).not.toThrow();
    for (const privateGroup of [
      '',
      '#',
      '##',
      own.slice(0, -1),
      `${own.slice(0, -1)}y`,
      own.slice(1),
      '#other#daemon',
    ])
      expect(check({ privateGroup })).toThrow(/private_group/);
  });
});
