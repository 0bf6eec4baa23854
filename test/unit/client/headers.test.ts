import type { SpreadError } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { fromProtoHeaders, toProtoHeaders } from '../../../clients/typescript/src/headers.js';

describe('headers of a sent message', () => {
  it('keep every own name, also __proto__', () => {
    const headers = { ['__proto__']: 'a', constructor: 'b', 'content-type': '' };
    expect([...toProtoHeaders(headers)]).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['content-type', ''],
    ]);
  });

  it('cost nothing if there are none', () => {
    expect(toProtoHeaders(undefined)).toBe(toProtoHeaders({}));
    expect(toProtoHeaders({}).size).toBe(0);
  });

  it.each([
    ['a value that is no text', { a: 1 }, 'headers["a"]'],
    ['a value without a text', { a: undefined }, 'headers["a"]'],
    ['a value with a lone surrogate', { a: 'x\ud800' }, 'headers["a"]'],
    ['a name with a lone surrogate', { 'a\udfff': '' }, 'headers'],
  ])('are rejected with %s, which the contract cannot carry', (_, headers, field) => {
    let error: SpreadError | undefined;
    try {
      toProtoHeaders(headers as unknown as Record<string, string>);
    } catch (thrown) {
      error = thrown as SpreadError;
    }
    expect(error).toMatchObject({ reason: 'FIELD_INVALID', outcome: 'not-sent', metadata: { field } });
  });
});

describe('headers of a received message', () => {
  it('have only the names of the message', () => {
    const headers = fromProtoHeaders(new Map([['__proto__', 'a']]));
    expect(headers.constructor).toBeUndefined();
    expect(Object.entries(headers)).toEqual([['__proto__', 'a']]);
  });

  it('are a frozen, empty object if there are none', () => {
    const none = fromProtoHeaders(new Map());
    expect(Object.keys(none)).toEqual([]);
    expect(none.constructor).toBeUndefined();
    expect(Object.isFrozen(none)).toBe(true);
    expect(Object.isFrozen(fromProtoHeaders(new Map([['a', 'b']])))).toBe(true);
  });
});
