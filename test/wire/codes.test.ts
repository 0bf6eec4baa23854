import { describe, expect, it } from 'vitest';
import {
  causeOfBits,
  SpreadCode,
  serviceOfBits,
  spreadCodeName,
} from '../../server/src/spread/wire/index.js';

describe('Spread codes', () => {
  it('have a name for each number', () => {
    for (const [name, number] of Object.entries(SpreadCode)) {
      expect(spreadCodeName(number)).toBe(name === 'ACCEPT_SESSION' ? undefined : name);
    }
    expect(new Set(Object.values(SpreadCode)).size).toBe(25);
    for (const number of [0, 1, -10, -21, -29]) expect(spreadCodeName(number)).toBeUndefined();
  });
});

describe('bits', () => {
  it('mean something when exactly one is set', () => {
    expect([0, 3, 0x40, 0x100].map(serviceOfBits)).toEqual(Array(4).fill(undefined));
    expect([0x100, 0x200, 0x400, 0x800].map(causeOfBits)).toEqual(['JOIN', 'LEAVE', 'DISCONNECT', 'NETWORK']);
    expect([0, 0x300, 0x1000].map(causeOfBits)).toEqual(Array(3).fill(undefined));
  });
});
