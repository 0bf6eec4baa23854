import { describe, expect, it } from 'vitest';
import { privateNames } from '../../../../server/src/mailbox/connection/name-conflict.js';

describe('private names to try', () => {
  it('FAIL tries the name only', () => {
    expect([...privateNames('alice', 'FAIL')]).toEqual(['alice']);
  });

  it('SUFFIX tries the name, then the name with 2 to 99', () => {
    const names = [...privateNames('alice', 'SUFFIX')];
    expect(names).toHaveLength(99);
    expect(names.slice(0, 3)).toEqual(['alice', 'alice2', 'alice3']);
    expect(names.at(-1)).toBe('alice99');
  });

  it('truncates a long name so that every variant has at most 10 characters', () => {
    const names = [...privateNames('abcdefghij', 'SUFFIX')];
    expect(names[0]).toBe('abcdefghij');
    expect(names[1]).toBe('abcdefghi2');
    expect(names[9]).toBe('abcdefgh10');
    for (const name of names) expect(name.length).toBeLessThanOrEqual(10);
    expect(new Set(names).size).toBe(99);
  });

  it('does not try the name itself again as its own variant', () => {
    const names = [...privateNames('abcdefghi7', 'SUFFIX')];
    expect(names.filter((name) => name === 'abcdefghi7')).toHaveLength(1);
  });

  it('leaves an empty name to the daemon', () => {
    expect([...privateNames('', 'SUFFIX')]).toEqual(['']);
  });
});
