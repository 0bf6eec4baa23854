import { describe, expect, it } from 'vitest';
import type { EdgeError } from '../../../../server/src/grpc/codec/edge-error.js';
import { countOf, millisecondsOf, required } from '../../../../server/src/grpc/codec/request-fields.js';
import { durationOf, timestampOf } from '../../../../server/src/grpc/codec/time.js';

const lease = (seconds: bigint, nanos = 0) => millisecondsOf({ seconds, nanos }, 'lease', 1000, 3_600_000);

describe('millisecondsOf', () => {
  it.each([
    [1n, 0, 1000],
    [3600n, 0, 3_600_000],
    [1n, 500_000_000, 1500],
    [1n, 1, 1001],
    [3599n, 999_999_999, 3_600_000],
  ])('reads %d s and %d ns', (seconds, nanos, ms) => {
    expect(lease(seconds, nanos)).toBe(ms);
  });

  it('returns undefined for a missing field', () => {
    expect(millisecondsOf(undefined, 'lease', 1, 2)).toBeUndefined();
  });

  it.each([
    ['zero', 0n, 0],
    ['just below the lower bound', 0n, 999_999_999],
    ['just above the upper bound', 3600n, 1],
    ['negative seconds', -1n, 0],
    ['negative nanos', 0n, -1],
    ['signs that differ', 2n, -1],
    ['signs that differ the other way', -2n, 1],
    ['too many nanos', 1n, 1_000_000_000],
    ['too few nanos', -1n, -1_000_000_000],
    ['the smallest int32 of nanos', 1n, -2_147_483_648],
    ['more than a Duration may have', 315_576_000_001n, 0],
    ['the largest int64', 9_223_372_036_854_775_807n, 0],
    ['the smallest int64', -9_223_372_036_854_775_808n, 0],
  ])('rejects %s, with field and limit', (_, seconds, nanos) => {
    const refused = () => lease(seconds, nanos);
    expect(refused).toThrow(expect.objectContaining({ reason: 'LIMIT_OUT_OF_RANGE' }) as EdgeError);
    expect(refused).toThrow(/^lease .*allowed: 1 s to 1 h$/);
    expect(refused).toThrow(
      expect.objectContaining({ metadata: { field: 'lease', bound: '1 s to 1 h' } }) as EdgeError,
    );
  });
});

describe('countOf', () => {
  it('returns the number, or more than any limit', () => {
    expect(countOf(0n)).toBe(0);
    expect(countOf(9_007_199_254_740_991n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(countOf(18_446_744_073_709_551_615n)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('required', () => {
  it('rejects only the empty string', () => {
    for (const value of ['', undefined]) {
      expect(() => required(value, 'mailbox_id')).toThrow('mailbox_id is required');
    }
    expect(required('x', 'mailbox_id')).toBe('x');
  });
});

describe('times', () => {
  it('are exact to the millisecond', () => {
    expect(timestampOf(1_700_000_000_123)).toEqual({ seconds: 1_700_000_000n, nanos: 123_000_000 });
    expect(durationOf(1500)).toEqual({ seconds: 1n, nanos: 500_000_000 });
  });
});
