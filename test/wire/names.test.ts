import { describe, expect, it } from 'vitest';
import {
  checkDaemonName,
  checkDestination,
  checkGroupName,
  checkPrivateName,
  parsePrivateGroup,
  privateGroupOf,
  readName,
  WireError,
  writeName,
} from '../../server/src/spread/wire/index.js';

/** The error of `check`, or undefined. */
function refusal(check: () => void): WireError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

describe('private names', () => {
  it.each(['', 'a', 'abcdefghij', '$', '~', 'A@c:%-._'])('%j is legal', (name) => {
    expect(refusal(() => checkPrivateName(name))).toBeUndefined();
  });

  it.each([
    ['abcdefghijk', '0..10 bytes'],
    ['a#c', "bytes 0x24 '$' to 0x7e '~'"],
    ['a"c', "bytes 0x24 '$' to 0x7e '~'"],
    ['a c', "bytes 0x24 '$' to 0x7e '~'"],
    ['a\0c', "bytes 0x24 '$' to 0x7e '~'"],
    ['a\x7fc', "bytes 0x24 '$' to 0x7e '~'"],
    ['a\x80c', "bytes 0x24 '$' to 0x7e '~'"],
    ['a€', "bytes 0x24 '$' to 0x7e '~'"],
  ])('%j is not: %s', (name, bound) => {
    const error = refusal(() => checkPrivateName(name));
    expect(error).toMatchObject({ code: 'REJECT_ILLEGAL_NAME', number: -5, field: 'private_name', bound });
    expect(error?.message).toContain('private_name');
  });

  it('the empty name is legal only where the daemon may generate one', () => {
    expect(refusal(() => checkPrivateName('', { allowEmpty: false }))).toMatchObject({
      bound: '1..10 bytes',
    });
  });
});

describe('daemon names', () => {
  it('have 1..19 bytes', () => {
    expect(refusal(() => checkDaemonName('d'.repeat(19)))).toBeUndefined();
    for (const name of ['', 'd'.repeat(20), 'a#b'])
      expect(refusal(() => checkDaemonName(name))).toMatchObject({ code: 'ILLEGAL_SPREAD' });
  });
});

describe('group names', () => {
  it.each(['g', 'x'.repeat(31), '$~', 'a/b'])('%j is legal', (name) => {
    expect(refusal(() => checkGroupName(name))).toBeUndefined();
    expect(refusal(() => checkDestination(name))).toBeUndefined();
  });

  it.each(['', 'x'.repeat(32), 'a b', 'a#b', 'ü', 'a\n'])('%j is not', (name) => {
    expect(refusal(() => checkGroupName(name, 'groups[3]'))).toMatchObject({
      code: 'ILLEGAL_GROUP',
      number: -14,
      field: 'groups[3]',
    });
    expect(refusal(() => checkDestination(name, 'groups[3]'))).toMatchObject({
      code: 'ILLEGAL_GROUP',
      field: 'groups[3]',
    });
  });

  it('a private group is a destination, but cannot be joined', () => {
    expect(refusal(() => checkDestination('#a#localhost'))).toBeUndefined();
    expect(refusal(() => checkGroupName('#a#localhost'))).toMatchObject({ code: 'ILLEGAL_GROUP' });
  });
});

describe('private groups', () => {
  it.each([
    ['#a#b', { name: 'a', daemon: 'b' }],
    [`#${'n'.repeat(10)}#${'d'.repeat(19)}`, { name: 'n'.repeat(10), daemon: 'd'.repeat(19) }],
  ])('%j has two parts', (group, parts) => {
    expect(parsePrivateGroup(group)).toEqual(parts);
    expect(privateGroupOf(parts.name, parts.daemon)).toBe(group);
    expect(refusal(() => checkDestination(group))).toBeUndefined();
  });

  it.each([
    '',
    '#',
    '##',
    '#b',
    '#b#',
    '##d',
    'a#b',
    `#${'n'.repeat(11)}#d`,
    `#n#${'d'.repeat(20)}`,
    '#a b#d',
    '#a#d d',
    '#a#d#',
  ])('%j is not a private group', (group) => {
    expect(parsePrivateGroup(group)).toBeUndefined();
    expect(refusal(() => checkDestination(group))).toMatchObject({ code: 'ILLEGAL_GROUP' });
  });
});

describe('the field of a name', () => {
  it('is NUL padded, independent of earlier content', () => {
    const field = Buffer.alloc(40, 0xee);
    writeName(field, 4, 'room');
    expect(field.toString('latin1', 4, 36)).toBe(`room${'\0'.repeat(28)}`);
    expect([field[3], field[36]]).toEqual([0xee, 0xee]);
  });

  it('holds bytes, not text', () => {
    const field = Buffer.alloc(32);
    writeName(field, 0, '\xff\xfe\x80');
    expect(field.subarray(0, 4)).toEqual(Buffer.from([0xff, 0xfe, 0x80, 0]));
    expect(readName(field, 0)).toBe('\xff\xfe\x80');
  });

  it('ends at the first NUL, or at 32 bytes', () => {
    const field = Buffer.alloc(32, 'B');
    expect(readName(field, 0)).toBe('B'.repeat(32));
    field[3] = 0;
    expect(readName(field, 0)).toBe('BBB');
    writeName(field, 0, 'C'.repeat(40));
    expect(field.toString()).toBe('C'.repeat(32));
  });
});

describe('names that repeat', () => {
  it('are read correctly independent of earlier names: equal hashes, prefixes, other positions', () => {
    const names = [
      '',
      'a',
      'b',
      'ab',
      'ba',
      '#a#b',
      'Aa',
      'BB',
      'AaAa',
      'BBBB',
      'AaBB',
      '\u00ff',
      'x'.repeat(32),
    ];
    const bytes = Buffer.alloc(32 * names.length);
    for (const [i, name] of names.entries()) bytes.write(name, 32 * i, 'latin1');
    for (let round = 0; round < 3; round++)
      for (const [i, name] of names.entries()) expect(readName(bytes, 32 * i)).toBe(name);
  });
});
