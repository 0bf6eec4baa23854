import { describe, expect, it } from 'vitest';
import { WriteBatch } from '../../../server/src/spread/write-batch.js';

function put(batch: WriteBatch, text: string): void {
  const at = batch.reserve(text.length);
  batch.buffer.write(text, at, 'latin1');
}

describe('a write batch', () => {
  it('returns the added bytes as one piece, in order, and then is empty', () => {
    const batch = new WriteBatch();
    for (const text of ['one', 'two', 'three']) put(batch, text);
    expect(batch.bytes).toBe(11);
    expect(batch.take().map(String)).toEqual(['onetwothree']);
    expect(batch.bytes).toBe(0);
    expect(batch.take()).toEqual([]);
  });

  it('adds large buffers without a copy, at their position', () => {
    const batch = new WriteBatch();
    const large = Buffer.from('LARGE');
    put(batch, 'before');
    batch.append(large);
    put(batch, 'behind');
    batch.append(Buffer.alloc(0));
    expect(batch.bytes).toBe(17);
    const pieces = batch.take();
    expect(pieces.map(String)).toEqual(['before', 'LARGE', 'behind']);
    expect(pieces[1]!.buffer).toBe(large.buffer);
  });

  it('needs more pieces only when it grows, and accepts a frame of any size', () => {
    const batch = new WriteBatch();
    const frames = Array.from({ length: 400 }, (_, i) => String(i).padStart(100, '.'));
    for (const frame of frames) put(batch, frame);
    put(batch, 'x'.repeat(100_000));
    const pieces = batch.take();
    expect(pieces.length).toBeLessThan(8);
    expect(Buffer.concat(pieces).toString()).toBe(frames.join('') + 'x'.repeat(100_000));
  });

  it('does not change taken pieces until they are released', () => {
    const batch = new WriteBatch();
    put(batch, 'first');
    const [first] = batch.take();
    put(batch, 'second');
    const [second] = batch.take();
    expect([String(first), String(second)]).toEqual(['first', 'second']);
    expect(second!.buffer).toBe(first!.buffer);
    batch.rest();
    put(batch, 'third');
    expect(batch.take()[0]!.byteOffset).toBe(first!.byteOffset);
  });

  it('does not finish while pieces are left', () => {
    const batch = new WriteBatch();
    put(batch, 'kept');
    batch.rest();
    put(batch, 'more');
    expect(batch.take().map(String)).toEqual(['keptmore']);
  });
});
