import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../../server/src/grpc/transport/token-bucket.js';

describe('TokenBucket', () => {
  it('allows the amount of one second immediately, then the rate', () => {
    const bucket = new TokenBucket(4, 1000);
    for (let i = 0; i < 4; i++) expect(bucket.take(1000)).toBe(0);
    expect(bucket.take(1000)).toBe(250);
    expect(bucket.take(1249)).toBe(1);
    expect(bucket.take(1250)).toBe(0);
    expect(bucket.take(1250)).toBe(250);
  });

  it('never holds more than the amount of one second', () => {
    const bucket = new TokenBucket(2, 0);
    expect([bucket.take(1e9), bucket.take(1e9), bucket.take(1e9)]).toEqual([0, 0, 500]);
  });

  it('can be overdrawn, and reports for how long', () => {
    const bucket = new TokenBucket(100, 0);
    expect(bucket.spend(100, 0)).toBe(0);
    expect(bucket.spend(50, 0)).toBe(500);
    expect(bucket.spend(0, 400)).toBe(100);
    expect(bucket.take(400)).toBe(110);
    expect(bucket.spend(0, 500)).toBe(0);
  });

  it('knows when it is full again', () => {
    const bucket = new TokenBucket(10, 0);
    expect(bucket.isFull(0)).toBe(true);
    bucket.take(0);
    expect(bucket.isFull(99)).toBe(false);
    expect(bucket.isFull(100)).toBe(true);
  });
});
