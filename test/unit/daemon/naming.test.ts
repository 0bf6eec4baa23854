import { describe, expect, it } from 'vitest';
import { daemonId, inventName } from '../../../server/src/daemon/naming.js';

describe('daemonId', () => {
  it("is real Spread's for 'localhost'", () => {
    // The first word of every group ID in the transcripts of Spread 5.0.1: 26 97 c5 1c.
    expect(daemonId('localhost')).toBe(0x1cc59726);
  });

  it('differs by name and stays within 32 bits', () => {
    const ids = ['d1', 'd2', 'd3', 'x', '~'.repeat(19)].map(daemonId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id > 0 && id < 0xffffffff && Number.isInteger(id)).toBe(true);
  });
});

describe('inventName', () => {
  it("has real Spread's form", () => {
    expect(
      inventName(
        7,
        () => false,
        () => 0.5,
      ),
    ).toBe('r4999-7');
    expect(
      inventName(
        123456,
        () => false,
        () => 0.9999,
      ),
    ).toBe('r9998-123');
    expect(
      inventName(
        1,
        () => false,
        () => 0,
      ),
    ).toBe('r0-1');
  });

  it('finds a free name, however many are taken', () => {
    const taken = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const name = inventName(
        1234567,
        (wanted) => taken.has(wanted),
        () => 0.9999,
      );
      expect(name.length).toBeLessThanOrEqual(9);
      expect(taken.has(name)).toBe(false);
      taken.add(name);
    }
  });
});
