import { describe, expect, it } from 'vitest';
import { FrameBuffers } from '../../../clients/typescript/src/frame-buffers.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Writes a frame of this size, and returns the memory that it uses. */
function frame(frames: FrameBuffers, size: number, until: number): ArrayBufferLike {
  const bytes = frames.write(size, until, (buffer) => buffer.fill(until));
  expect(bytes).toHaveLength(size);
  expect(bytes.every((byte) => byte === until)).toBe(true);
  return bytes.buffer;
}

describe('buffers of frames', () => {
  it('are used again when all messages of the frame are decided, and not before', () => {
    const frames = new FrameBuffers(4 * MIB);
    const first = frame(frames, 100 * KIB, 10);
    frames.decided(9);
    const second = frame(frames, 100 * KIB, 20);
    expect(second).not.toBe(first);
    frames.decided(10);
    expect(frame(frames, 90 * KIB, 30)).toBe(first);
    frames.decided(20);
    expect(frame(frames, 110 * KIB, 40)).toBe(second);
  });

  it('are new if no unused one is large enough', () => {
    const frames = new FrameBuffers(4 * MIB);
    const small = frame(frames, 64 * KIB, 1);
    frames.decided(1);
    expect(frame(frames, 64 * KIB + 1, 2)).not.toBe(small);
    expect(frame(frames, 64 * KIB, 3)).toBe(small);
  });

  it('are not kept beyond the limit', () => {
    const frames = new FrameBuffers(MIB);
    for (let i = 1; i <= 40; i++) frame(frames, 128 * KIB, i);
    frames.decided(39);
    expect(frames.freeBytes).toBe(MIB);
  });

  it('are not kept while no message is in flight, except one', () => {
    const frames = new FrameBuffers(4 * MIB);
    for (let i = 1; i <= 5; i++) frame(frames, 128 * KIB, i);
    frames.decided(5);
    expect(frames.freeBytes).toBe(128 * KIB);
  });

  it('are not kept for small frames, which come from the slabs of Node', () => {
    const frames = new FrameBuffers(4 * MIB);
    frame(frames, 16 * KIB - 1, 1);
    frames.decided(1);
    expect(frames.freeBytes).toBe(0);
  });
});
