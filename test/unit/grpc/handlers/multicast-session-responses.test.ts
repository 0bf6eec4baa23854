import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { badMessage, FakeMulticastStream } from './fake-multicast-stream.js';

describe('a stream that responds on request', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  function open(): FakeMulticastStream {
    const stream = FakeMulticastStream.open({ respondsOnRequest: true });
    expect(stream.counts).toEqual([[0, 0]]);
    return stream;
  }

  it('reads the next frame, and reports the progress of several batches after 20 ms', () => {
    const stream = open();
    for (const text of ['a', 'b', 'c']) {
      stream.batch(text);
      stream.mailbox.take();
    }
    expect(stream.reads).toBe(4);
    expect(stream.counts).toHaveLength(1);
    vi.advanceTimersByTime(19);
    expect(stream.counts).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(stream.counts.slice(1)).toEqual([[3, 3]]);
    vi.advanceTimersByTime(1000);
    expect(stream.counts).toHaveLength(2);
  });

  it('responds to a batch with a request as soon as it is decided, about all earlier batches too', () => {
    const stream = open();
    stream.batch('a');
    stream.mailbox.take();
    stream.batchWithRequest('b');
    expect(stream.counts).toHaveLength(1);
    stream.mailbox.take();
    expect(stream.counts.slice(1)).toEqual([[2, 2]]);
    vi.advanceTimersByTime(1000);
    expect(stream.counts).toHaveLength(2);
  });

  it('responds to an empty batch with a request', () => {
    const stream = open();
    stream.batch('a');
    stream.mailbox.take();
    stream.batchWithRequest();
    expect(stream.counts.slice(1)).toEqual([[1, 1]]);
  });

  it('immediately reports rejected messages', () => {
    const stream = open();
    stream.batch('a', badMessage());
    stream.mailbox.take();
    expect(stream.counts.slice(1)).toEqual([[2, 1]]);
    expect(stream.refused).toEqual([2]);
  });

  it('reports its progress before a half-close ends it', () => {
    const stream = open();
    stream.batch('a');
    stream.mailbox.take();
    stream.session.onHalfClose();
    expect(stream.counts.slice(1)).toEqual([[1, 1]]);
    expect(stream.isEnded).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has no timer after a cancel', () => {
    const stream = open();
    stream.batch('a');
    stream.mailbox.take();
    stream.session.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});
