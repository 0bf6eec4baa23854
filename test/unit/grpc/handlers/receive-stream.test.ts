import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import { ReceiveResponse } from 'spread-sidecar-proto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ReceiveFrame, serializeFrame } from '../../../../server/src/grpc/codec/receive-frames.js';
import type { StatusError } from '../../../../server/src/grpc/codec/status.js';
import { ReceiveStream } from '../../../../server/src/grpc/handlers/receive-stream.js';
import type { MailboxEnd } from '../../../../server/src/mailbox/mailbox-types.js';
import type {
  AttachInfo,
  Attachment,
  Batch,
  SlowConsumerNotice,
} from '../../../../server/src/mailbox/queue/receiver.js';
import { readStatusDetails } from '../../../support/sidecars/google-rpc.js';

const LIMITS = { maxBatchBytes: 1000, maxBytesInFlight: 2000 };
const ATTACHED = Buffer.alloc(100);
const HEARTBEAT_MS = 1000;

/** A queue of batches that the test fills. */
class FakeAttachment implements Attachment {
  readonly info = {} as AttachInfo;
  attached = true;
  complete = true;
  givenSequence = 0;
  readonly batches: Batch[] = [];
  released = 0;
  readonly takenWith: number[] = [];
  /** Bytes that the receiver reports. */
  bytesInTransit = 0;
  detaches = 0;
  #sequence = 0;

  add(bytes: number, queuedAtMs?: number): void {
    const sequence = ++this.#sequence;
    this.batches.push({
      buffers: [Buffer.alloc(bytes)],
      bytes,
      firstSequence: sequence,
      lastSequence: sequence,
      queuedAtMs,
      release: () => void this.released++,
    });
  }

  take = (maxBytes: number): Batch | undefined => {
    this.takenWith.push(maxBytes);
    const batch = this.batches.shift();
    if (batch !== undefined) this.givenSequence = batch.lastSequence;
    return batch;
  };

  inTransit = (bytes: number) => {
    this.bytesInTransit += bytes;
  };

  detach = () => {
    this.detaches++;
    this.attached = false;
  };
}

/** A Receive call whose transport the test controls. */
function receiveStream(options: { heartbeatMs?: number; begin?: boolean } = {}) {
  const frames: ReceiveFrame[] = [];
  const transport: (() => void)[] = [];
  const errors: StatusError[] = [];
  const trailers: unknown[] = [];
  let resets = 0;
  const deliveryTimes: number[] = [];
  const emitter = new EventEmitter().on('error', (error: StatusError) => errors.push(error));
  const call = Object.assign(emitter, {
    write: (frame: ReceiveFrame, taken: () => void) => {
      frames.push(frame);
      transport.push(taken);
      return true;
    },
    end: (metadata: { getMap(): unknown }) => void trailers.push(metadata.getMap()),
  });
  const attachment = new FakeAttachment();
  const stream = new ReceiveStream(
    call as unknown as ConstructorParameters<typeof ReceiveStream>[0],
    LIMITS,
    options.heartbeatMs,
    () => void resets++,
    { eventsDelivered: (seconds) => void deliveryTimes.push(seconds) },
  );
  if (options.begin ?? true) stream.begin(attachment, ATTACHED);
  return {
    stream,
    attachment,
    frames,
    errors,
    trailers,
    resets: () => resets,
    deliveryTimes,
    /** The transport accepts the next frames. */
    taken: (count = transport.length) => {
      for (const taken of transport.splice(0, count)) taken();
    },
    kinds: () => frames.slice(1).map((frame) => ReceiveResponse.decode(serializeFrame(frame)).frame?.$case),
  };
}

const notice = (timeLeftMs?: number): SlowConsumerNotice => ({
  queuedEvents: 10,
  queuedBytes: 1000,
  limits: { maxEvents: 100, maxBytes: 10_000, replayBytes: 0, overflow: 'PAUSE' },
  mark: { events: 5, bytes: 500 },
  timeLeftMs,
});

const DISCONNECTED: MailboxEnd = { reason: 'DISCONNECTED', lastSequence: 7, message: 'it was disconnected' };
const EXPIRED: MailboxEnd = { reason: 'LEASE_EXPIRED', lastSequence: 7, message: 'its lease expired' };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a Receive stream', () => {
  it('writes the first frame first, and takes no event before the queue reports one', () => {
    const { frames, attachment } = receiveStream();
    attachment.add(10);
    expect(frames).toEqual([ATTACHED]);
    expect(attachment.takenWith).toEqual([]);
  });

  it('that is woken before its start takes events after its first frame', () => {
    const { stream, attachment, frames, kinds } = receiveStream({ begin: false });
    attachment.add(10);
    stream.onReadable();
    expect(frames).toEqual([]);
    stream.begin(attachment, ATTACHED);
    expect(frames[0]).toBe(ATTACHED);
    expect(kinds()).toEqual(['batch']);
  });

  it('takes all available batches, within the limits', () => {
    const { stream, attachment, kinds } = receiveStream();
    attachment.add(10);
    attachment.add(20);
    stream.onReadable();
    expect(kinds()).toEqual(['batch', 'batch']);
    expect(attachment.takenWith).toEqual([1000, 1000, 1000]);
  });

  it('reports the time since a measured event was read, once for its batch', () => {
    const { stream, attachment, deliveryTimes } = receiveStream();
    attachment.add(10, performance.now());
    attachment.add(10);
    vi.advanceTimersByTime(250);
    stream.onReadable();
    expect(deliveryTimes).toEqual([0.25]);
  });

  it('does not ask an empty queue again until the queue reports events', () => {
    const { stream, attachment, kinds, taken } = receiveStream();
    stream.onReadable();
    attachment.add(10);
    taken();
    expect(attachment.takenWith).toHaveLength(1);
    expect(kinds()).toEqual([]);
    stream.onReadable();
    expect(kinds()).toEqual(['batch']);
  });

  it('holds at most the bytes in flight and one more batch', () => {
    const { stream, attachment, frames, taken } = receiveStream();
    for (let i = 0; i < 10; i++) attachment.add(900);
    stream.onReadable();
    // 100 bytes of the first frame, and 903 of each batch: two are below the limit, so a third is taken.
    expect(frames).toHaveLength(4);
    expect(attachment.bytesInTransit).toBe(100 + 3 * 903);
    taken(1);
    expect(frames).toHaveLength(4);
    taken(1);
    expect(frames).toHaveLength(5);
    expect(attachment.bytesInTransit).toBe(3 * 903);
  });

  it('reports every byte that the transport accepted, and releases every batch once', () => {
    const { stream, attachment, taken } = receiveStream();
    for (let i = 0; i < 5; i++) attachment.add(900);
    stream.onReadable();
    for (let i = 0; i < 6; i++) taken(1);
    expect(attachment.bytesInTransit).toBe(0);
    expect(attachment.released).toBe(5);
  });
});

describe('a slow consumer notice', () => {
  it('is sent once while the transport holds one of its kind', () => {
    const { stream, kinds, taken } = receiveStream();
    stream.onSlowConsumer(notice());
    stream.onSlowConsumer(notice());
    expect(kinds()).toEqual(['slowConsumer']);
    taken();
    stream.onSlowConsumer(notice());
    expect(kinds()).toEqual(['slowConsumer', 'slowConsumer']);
  });

  it('of the soft limit is sent beside one of the notice threshold', () => {
    const { stream, kinds, taken } = receiveStream();
    stream.onSlowConsumer(notice());
    stream.onSlowConsumer(notice(5000));
    stream.onSlowConsumer(notice(4000));
    expect(kinds()).toEqual(['slowConsumer', 'slowConsumer']);
    // The first frame and the notice of the notice threshold. The notice of the soft limit is still in flight.
    taken(2);
    stream.onSlowConsumer(notice(3000));
    expect(kinds()).toHaveLength(2);
    stream.onSlowConsumer(notice());
    expect(kinds()).toHaveLength(3);
  });

  it('is sent although the bytes in flight leave no room for a batch', () => {
    const { stream, attachment, kinds } = receiveStream();
    attachment.add(5000);
    stream.onReadable();
    stream.onSlowConsumer(notice());
    expect(kinds()).toEqual(['batch', 'slowConsumer']);
  });

  it('is not sent after the end', () => {
    const { stream, frames } = receiveStream();
    stream.onEnd(DISCONNECTED);
    stream.onSlowConsumer(notice());
    expect(frames).toHaveLength(1);
  });
});

describe('a heartbeat', () => {
  it('is sent after each interval without traffic, with the last delivered sequence', () => {
    const { stream, attachment, frames, taken, kinds } = receiveStream({ heartbeatMs: HEARTBEAT_MS });
    attachment.add(10);
    stream.onReadable();
    taken();
    vi.advanceTimersByTime(HEARTBEAT_MS - 1);
    expect(kinds()).toEqual(['batch']);
    vi.advanceTimersByTime(1);
    expect(kinds()).toEqual(['batch', 'heartbeat']);
    const decoded = ReceiveResponse.decode(serializeFrame(frames.at(-1)!));
    expect(decoded.frame).toMatchObject({ $case: 'heartbeat', value: { lastSequence: 1n } });
    taken();
    vi.advanceTimersByTime(HEARTBEAT_MS);
    expect(kinds()).toEqual(['batch', 'heartbeat', 'heartbeat']);
  });

  it('is not sent unless requested', () => {
    const { frames, taken } = receiveStream();
    taken();
    vi.advanceTimersByTime(100 * HEARTBEAT_MS);
    expect(frames).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for a whole interval from the last traffic', () => {
    const { stream, attachment, taken, kinds } = receiveStream({ heartbeatMs: HEARTBEAT_MS });
    taken();
    vi.advanceTimersByTime(600);
    attachment.add(10);
    stream.onReadable();
    taken();
    vi.advanceTimersByTime(999);
    expect(kinds()).toEqual(['batch']);
    vi.advanceTimersByTime(1);
    expect(kinds()).toEqual(['batch', 'heartbeat']);
  });

  it('counts from when the transport accepted the last frame', () => {
    const { taken, kinds } = receiveStream({ heartbeatMs: HEARTBEAT_MS });
    vi.advanceTimersByTime(900);
    taken();
    vi.advanceTimersByTime(999);
    expect(kinds()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(kinds()).toEqual(['heartbeat']);
  });

  it('is not written after frames that the client does not read', () => {
    const { taken, kinds } = receiveStream({ heartbeatMs: HEARTBEAT_MS });
    vi.advanceTimersByTime(10 * HEARTBEAT_MS);
    expect(kinds()).toEqual([]);
    taken();
    vi.advanceTimersByTime(2 * HEARTBEAT_MS);
    expect(kinds()).toEqual(['heartbeat']);
  });

  it('is not sent while queued events may not be delivered', () => {
    const { attachment, taken, kinds } = receiveStream({ heartbeatMs: HEARTBEAT_MS });
    taken();
    attachment.complete = false;
    vi.advanceTimersByTime(3 * HEARTBEAT_MS);
    expect(kinds()).toEqual([]);
    attachment.complete = true;
    vi.advanceTimersByTime(HEARTBEAT_MS);
    expect(kinds()).toEqual(['heartbeat']);
  });

  it.each<[what: string, end: (stream: ReceiveStream) => void]>([
    ['a cancel', (stream) => stream.cancel()],
    ['a status', (stream) => stream.finished()],
    ['the end of the mailbox', (stream) => stream.onEnd(DISCONNECTED)],
  ])('is not sent after %s, and leaves no timer', (_what, end) => {
    const { stream, frames, taken } = receiveStream({ heartbeatMs: HEARTBEAT_MS });
    taken();
    end(stream);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(3 * HEARTBEAT_MS);
    expect(frames).toHaveLength(1);
  });
});

describe('the end of the mailbox', () => {
  it('on request ends the call with OK and the last sequence', () => {
    const { stream, trailers, errors } = receiveStream();
    stream.onEnd(DISCONNECTED);
    expect(trailers).toEqual([{ last_sequence: '7' }]);
    expect(errors).toEqual([]);
  });

  it('without a request ends the call with its reason and the last sequence', () => {
    const { stream, trailers, errors } = receiveStream();
    stream.onEnd(EXPIRED);
    expect(trailers).toEqual([]);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.code).toBe(status.ABORTED);
    expect(errors[0]?.metadata.get('last_sequence')).toEqual(['7']);
    const [details] = errors[0]?.metadata.get('grpc-status-details-bin') ?? [];
    expect(readStatusDetails(details as Buffer).info?.reason).toBe('LEASE_EXPIRED');
  });

  it('ends the call once, and takes nothing afterwards', () => {
    const { stream, attachment, trailers, errors, taken, frames } = receiveStream();
    stream.onEnd(DISCONNECTED);
    stream.onEnd(EXPIRED);
    attachment.add(10);
    stream.onReadable();
    taken();
    expect(trailers).toHaveLength(1);
    expect(errors).toEqual([]);
    expect(frames).toHaveLength(1);
    expect(attachment.takenWith).toEqual([]);
  });

  it('sends the written frames, and reports them', () => {
    const { stream, attachment, taken } = receiveStream();
    attachment.add(10);
    stream.onReadable();
    stream.onEnd(DISCONNECTED);
    expect(attachment.bytesInTransit).toBeGreaterThan(100);
    taken();
    expect(attachment.bytesInTransit).toBe(0);
    expect(attachment.released).toBe(1);
  });

  it('is not reported to a caller that has disconnected', () => {
    const { stream, trailers, errors } = receiveStream();
    stream.cancel();
    stream.onEnd(EXPIRED);
    expect(trailers).toEqual([]);
    expect(errors).toEqual([]);
  });
});

describe('a cancelled Receive', () => {
  it('frees the mailbox and reports all bytes in flight as released, once', () => {
    const { stream, attachment, taken } = receiveStream();
    attachment.add(900);
    stream.onReadable();
    stream.cancel();
    expect(attachment.detaches).toBe(1);
    expect(attachment.bytesInTransit).toBe(0);
    // grpc-js may still call back; the memory of the batch may be in use.
    taken();
    expect(attachment.bytesInTransit).toBe(0);
    expect(attachment.released).toBe(0);
  });

  it('takes no more events', () => {
    const { stream, attachment, frames } = receiveStream();
    stream.cancel();
    attachment.add(10);
    stream.onReadable();
    expect(frames).toHaveLength(1);
  });

  it('is not reset by the mailbox', () => {
    const { stream, resets } = receiveStream();
    stream.cancel();
    stream.abandon();
    expect(resets()).toBe(0);
  });

  it('that has not started has nothing to free', () => {
    const { stream, frames } = receiveStream({ begin: false });
    stream.cancel();
    stream.abandon();
    expect(frames).toEqual([]);
  });
});

describe('a Receive with a status from another part', () => {
  it('frees the mailbox immediately, and still sends its frames', () => {
    const { stream, attachment, taken } = receiveStream();
    attachment.add(900);
    attachment.add(900);
    attachment.add(900);
    attachment.add(900);
    stream.onReadable();
    stream.finished();
    expect(attachment.detaches).toBe(1);
    expect(attachment.bytesInTransit).toBe(100 + 3 * 903);
    taken();
    expect(attachment.bytesInTransit).toBe(0);
    expect(attachment.released).toBe(3);
    // Events for which it had no room remain for the next receiver.
    expect(attachment.batches).toHaveLength(1);
  });

  it('and is cancelled then reports no byte twice', () => {
    const { stream, attachment, taken } = receiveStream();
    stream.finished();
    stream.cancel();
    expect(attachment.bytesInTransit).toBe(0);
    taken();
    expect(attachment.bytesInTransit).toBe(0);
  });
});

describe('an abandoned Receive', () => {
  it('is reset while the transport holds bytes, also after the end of the mailbox', () => {
    const { stream, resets } = receiveStream();
    stream.onEnd(EXPIRED);
    stream.abandon();
    expect(resets()).toBe(1);
  });

  it('is not reset when the transport accepted everything', () => {
    const { stream, taken, resets } = receiveStream();
    taken();
    stream.abandon();
    expect(resets()).toBe(0);
  });
});
