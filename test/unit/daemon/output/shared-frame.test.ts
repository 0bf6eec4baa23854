import { describe, expect, it } from 'vitest';
import { QueueBudget } from '../../../../server/src/daemon/output/queue-budget.js';
import { relayedFrame, SharedFrame } from '../../../../server/src/daemon/output/shared-frame.js';
import { type Frame, FrameDecoder } from '../../../../server/src/spread/wire/index.js';
import { buildFrame, type RawFrame } from '../../../support/wire/frame-builder.js';

function relayed(raw: RawFrame, options: { patch?: (bytes: Buffer) => void; chunk?: number } = {}) {
  const bytes = buildFrame(raw);
  options.patch?.(bytes);
  const frames: Frame[] = [];
  const decoder = new FrameDecoder({ role: 'daemon' }, (frame) => frames.push(frame));
  const size = options.chunk ?? bytes.length;
  for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
  return { sent: bytes, got: relayedFrame(frames[0]!) };
}

const message: RawFrame = {
  type: 0x10,
  privateGroup: '#a#d',
  groups: ['g', 'h'],
  messageType: -2,
  data: Buffer.from('data'),
};

describe('relayedFrame', () => {
  it.each([1, 48, 60, 1000])('has the sent bytes, in pieces of %i', (chunk) => {
    const { sent, got } = relayed(message, { chunk });
    expect(Buffer.concat(got.buffers)).toEqual(sent);
    expect(got.length).toBe(sent.length);
  });

  it('converts type and counts of a big-endian client, but not its hint', () => {
    const { got } = relayed({ ...message, bigEndian: true });
    expect(Buffer.concat(got.buffers)).toEqual(buildFrame({ ...message, bigEndianHint: true }));
  });

  it('ends the private group with NUL, and relays the bytes after an earlier NUL', () => {
    const { got } = relayed(message, { patch: (bytes) => bytes.fill(0x41, 10, 36) });
    const bytes = Buffer.concat(got.buffers);
    expect(bytes[35]).toBe(0);
    expect(bytes.subarray(10, 35)).toEqual(Buffer.alloc(25, 0x41));
  });

  it('retains no chunk that is larger than the message', () => {
    const small = relayed(message).got;
    expect(small.buffers).toHaveLength(1);
    // A body in pieces has its own memory and is not copied again.
    const large = relayed({ ...message, data: Buffer.alloc(100_000) }, { chunk: 30_000 }).got;
    expect(large.buffers.map((buffer) => buffer.length)).toEqual([48, 100_064]);
    expect(large.buffers[1]!.buffer.byteLength).toBe(100_064);
  });
});

describe('QueueBudget', () => {
  it('counts a frame once, from its first holder to its last', () => {
    const budget = new QueueBudget();
    const frame = new SharedFrame([Buffer.alloc(10), Buffer.alloc(5)]);
    budget.hold(frame);
    budget.hold(frame);
    expect(budget.bytes).toBe(15 + 256);
    budget.release(frame);
    expect(budget.bytes).toBe(15 + 256);
    budget.release(frame);
    expect(budget.bytes).toBe(0);
  });
});
