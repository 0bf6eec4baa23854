import { describe, expect, it } from 'vitest';
import { BufferPool, lengthFor } from '../../../server/src/memory/buffer-pool.js';

const KIB = 1024;

describe('lengthFor', () => {
  it('is sufficient, at most an eighth more, and stable for its own results', () => {
    for (let bytes = 1; bytes <= 512 * KIB; bytes += bytes < 8 * KIB ? 1 : 97) {
      const length = lengthFor(bytes);
      expect(length).toBeGreaterThanOrEqual(bytes);
      if (bytes > 4 * KIB) expect(length).toBeLessThan(bytes * 1.125 + 1);
      expect(lengthFor(length)).toBe(length);
    }
    expect(lengthFor(512 * KIB)).toBe(512 * KIB);
  });
});

describe('BufferPool', () => {
  it('reuses a returned buffer, and never returns one twice', () => {
    const pool = new BufferPool(64 * KIB);
    const first = pool.take(10_000);
    const second = pool.take(10_000);
    expect(second).not.toBe(first);
    pool.give(first);
    expect(pool.freeBytes).toBe(first.length);
    expect(pool.take(first.length)).toBe(first);
    expect(pool.freeBytes).toBe(0);
    expect(pool.take(10_000)).not.toBe(second);
  });

  it('separates lengths', () => {
    const pool = new BufferPool(64 * KIB);
    pool.give(pool.take(8 * KIB));
    expect(pool.take(16 * KIB)).toHaveLength(16 * KIB);
    expect(pool.freeBytes).toBe(8 * KIB);
  });

  it('keeps no more than its limit, and first discards the least recently used', () => {
    const pool = new BufferPool(32 * KIB);
    const [old, ...recent] = [8, 16, 16].map((kib) => pool.take(kib * KIB));
    pool.give(old!);
    for (const buffer of recent) pool.give(buffer);
    expect(pool.freeBytes).toBe(32 * KIB);
    expect(new Set([pool.take(16 * KIB), pool.take(16 * KIB)])).toEqual(new Set(recent));
    expect(pool.take(8 * KIB)).not.toBe(old);
  });

  it('keeps nothing that is larger than its limit, or above 512 KiB', () => {
    const pool = new BufferPool(16 * KIB);
    pool.give(pool.take(32 * KIB));
    expect(pool.freeBytes).toBe(0);
    const large = new BufferPool(4096 * KIB);
    const buffer = large.take(512 * KIB + 1);
    expect(buffer).toHaveLength(512 * KIB + 1);
    large.give(buffer);
    expect(large.freeBytes).toBe(0);
  });
});
