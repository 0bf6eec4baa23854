import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { AdminCredential } from '../../../../server/src/grpc/calls/credentials.js';

function authorized(tokens: string[], ...values: string[]): boolean {
  const metadata = new Metadata();
  for (const value of values) metadata.add('authorization', value);
  return new AdminCredential(tokens).accepts(metadata);
}

describe('the admin token', () => {
  it('accepts each of the tokens, as Bearer', () => {
    expect(authorized(['one', 'two'], 'Bearer one')).toBe(true);
    expect(authorized(['one', 'two'], 'bearer  two')).toBe(true);
  });

  it.each([
    ['no header', []],
    ['another token', ['Bearer three']],
    ['a part of a token', ['Bearer on']],
    ['more than a token', ['Bearer one2']],
    ['no scheme', ['one']],
    ['another scheme', ['Basic one']],
    ['no token', ['Bearer ']],
    ['two headers', ['Bearer one', 'Bearer one']],
  ])('rejects %s', (_, values) => {
    expect(authorized(['one', 'two'], ...values)).toBe(false);
  });

  it('accepts nothing when none is configured', () => {
    expect(authorized([], 'Bearer ')).toBe(false);
    expect(authorized([''], 'Bearer ')).toBe(false);
    expect(authorized([''], 'Bearer')).toBe(false);
  });
});
