import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { QueueBudget } from '../../../../server/src/daemon/output/queue-budget.js';
import { SendQueue } from '../../../../server/src/daemon/output/send-queue.js';
import { SharedFrame } from '../../../../server/src/daemon/output/shared-frame.js';
import { until } from '../../../support/until.js';

/** A stream that accepts all bytes until it is closed, like a socket with room in the kernel buffer. */
class Valve extends Writable {
  readonly taken: Buffer[] = [];
  /** Number of system calls of an equivalent socket. */
  writes = 0;
  open = true;
  #waiting: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this._writev([{ chunk }], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.writes += 1;
    const take = () => {
      this.taken.push(...chunks.map(({ chunk }) => chunk));
      callback();
    };
    if (this.open) take();
    else this.#waiting = take;
  }

  /** Accepts the waiting bytes and all later ones. */
  reopen(): void {
    this.open = true;
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

function setUp(maxMessages = 5) {
  const stream = new Valve();
  const budget = new QueueBudget();
  const drained: number[] = [];
  const queue: SendQueue = new SendQueue(stream, {
    maxMessages,
    budget,
    onDrain: () => drained.push(queue.messages),
  });
  return { stream, budget, queue, drained };
}

let serial = 0;
const frame = (length = 10) => new SharedFrame([Buffer.alloc(length, ++serial)]);

describe('SendQueue', () => {
  it('collects frames until the flush and writes them together', () => {
    const { stream, queue, budget } = setUp();
    const frames = [frame(), frame(), new SharedFrame([Buffer.from('a'), Buffer.from('b')])];
    for (const each of frames) expect(queue.push(each)).toBe(true);
    expect(stream.taken).toEqual([]);
    expect(queue.messages).toBe(3);
    expect(budget.bytes).toBe(22 + 3 * 256);
    queue.flush();
    expect(stream.writes).toBe(1);
    expect(Buffer.concat(stream.taken)).toEqual(Buffer.concat(frames.flatMap(({ buffers }) => buffers)));
    expect(queue.messages).toBe(0);
    expect(budget.bytes).toBe(0);
  });

  it('shares buffers without a copy', () => {
    const { stream, queue } = setUp();
    const shared = frame();
    queue.push(shared);
    queue.flush();
    expect(stream.taken[0]).toBe(shared.buffers[0]);
  });

  it('does not count bytes that a reading client receives', () => {
    const { queue, stream } = setUp(5);
    for (let i = 0; i < 100; i++) expect(queue.push(frame())).toBe(true);
    queue.flush();
    expect(stream.taken).toHaveLength(100);
  });

  it('writes early when many bytes are collected', () => {
    const { queue, stream } = setUp(1000);
    for (let i = 0; i < 200; i++) queue.push(frame());
    expect(stream.taken).toHaveLength(128);
    queue.push(frame(100_000));
    expect(stream.taken).toHaveLength(201);
  });

  it('rejects the message after the last one that fits', async () => {
    const { queue, stream, drained, budget } = setUp(5);
    stream.open = false;
    for (let i = 0; i < 5; i++) expect(queue.push(frame())).toBe(true);
    expect(queue.push(frame())).toBe(false);
    expect(queue.messages).toBe(5);
    expect(queue.blocked).toBe(true);
    stream.reopen();
    await until(() => queue.messages === 0);
    expect(stream.taken).toHaveLength(5);
    expect(drained).toEqual([0]);
    expect(budget.bytes).toBe(0);
  });

  it('continues automatically in order when a blocked stream has room again', async () => {
    const { queue, stream } = setUp(1000);
    stream.open = false;
    const frames = Array.from({ length: 500 }, () => frame());
    for (const each of frames) queue.push(each);
    queue.flush();
    expect(queue.messages).toBe(500);
    stream.reopen();
    await until(() => queue.messages === 0);
    expect(stream.taken).toEqual(frames.map(({ buffers }) => buffers[0]));
    // Written in batches, not one by one.
    expect(stream.writes).toBeLessThan(10);
  });

  it('releases everything when it is closed, and accepts nothing more', () => {
    const { queue, stream, budget } = setUp(1000);
    stream.open = false;
    for (let i = 0; i < 300; i++) queue.push(frame());
    queue.flush();
    queue.push(frame());
    queue.close();
    expect([queue.messages, queue.bytes, budget.bytes]).toEqual([0, 0, 0]);
    expect(queue.push(frame())).toBe(true);
    expect(budget.bytes).toBe(0);
    stream.reopen();
    expect(budget.bytes).toBe(0);
  });

  it('writes nothing to a closed stream', () => {
    const { queue, stream } = setUp();
    queue.push(frame());
    stream.destroy();
    queue.flush();
    expect(stream.writes).toBe(0);
  });
});
