import type { ServerWritableStream } from '@grpc/grpc-js';
import type { MailboxEnd } from '../../mailbox/mailbox-types.js';
import type { Attachment, Batch, Receiver, SlowConsumerNotice } from '../../mailbox/queue/receiver.js';
import { shortLivedBuffers } from '../../memory/short-lived-buffers.js';
import type { GrpcTelemetry } from '../calls/methods.js';
import { slowConsumerMessage } from '../codec/convert.js';
import { endFailure } from '../codec/failure.js';
import { BatchFrame, frameOf, type ReceiveFrame } from '../codec/receive-frames.js';
import { statusError, trailersOf } from '../codec/status.js';
import { timestampOf } from '../codec/time.js';
import type { DeliverySpan } from '../codec/tracing.js';
import type { ReceiveStreamLimits } from './service-context.js';

/** The stream of grpc-js. `write` calls back when the transport has accepted the frame. */
type Call = Pick<ServerWritableStream<unknown, ReceiveFrame>, 'end' | 'emit'> & {
  write(frame: ReceiveFrame, taken: (error?: Error | null) => void): boolean;
};

/**
 * Sends a mailbox's events to one Receive call. It takes a batch only when the transport has accepted the previous
 * one. The events of a client that does not read therefore stay in the mailbox's queue with its limits, and this
 * stream uses at most `maxBytesInFlight` and one batch.
 */
export class ReceiveStream implements Receiver {
  #attachment: Attachment | undefined;
  #bytesInFlight = 0;
  /** False until the start, and while the queue is empty. onReadable reports new events. */
  #mayPull = false;
  #ended = false;
  #cancelled = false;
  /** The kinds of notices that are in flight: of the notice threshold, and of a soft limit whose time runs. */
  readonly #noticesInFlight = new Set<'mark' | 'soft limit'>();
  /** Time of the last write to the transport, or of its last acceptance. */
  #busyAt = performance.now();
  #heartbeatTimer: NodeJS.Timeout | undefined;
  /** The spans of batches in flight, while tracing is on. */
  #delivering: Set<DeliverySpan> | undefined;

  constructor(
    private readonly call: Call,
    private readonly limits: ReceiveStreamLimits,
    /** Unit: ms. Undefined: no heartbeats. */
    private readonly heartbeatMs: number | undefined,
    /** Resets the stream below the call. */
    private readonly reset: () => void,
    private readonly telemetry: Pick<GrpcTelemetry, 'eventsDelivered'>,
    /** Starts the spans of the messages in a batch. Undefined while tracing is off. */
    private readonly trace?: ((batch: Batch) => DeliverySpan) | undefined,
  ) {}

  /** Starts with the first frame. */
  begin(attachment: Attachment, attached: ReceiveFrame): void {
    this.#attachment = attachment;
    this.#write(attached);
    if (this.heartbeatMs !== undefined) this.#armHeartbeat(this.heartbeatMs);
    if (this.#mayPull) this.#pull();
  }

  /**
   * The caller has disconnected. The mailbox is free for the next receiver, and keeps the events of the replay
   * window.
   */
  cancel(): void {
    this.#ended = true;
    clearTimeout(this.#heartbeatTimer);
    // The call discards the written frames, and no later event reports this.
    this.#cancelled = true;
    this.#attachment?.inTransit(-this.#bytesInFlight);
    this.#attachment?.detach();
    for (const spans of this.#delivering ?? []) spans.end(new Error('the client disconnected'));
    this.#delivering?.clear();
  }

  /** The call has a status, so the mailbox is free for the next receiver. Written frames may still be sent. */
  finished(): void {
    this.#ended = true;
    clearTimeout(this.#heartbeatTimer);
    this.#attachment?.detach();
  }

  abandon(): void {
    if (this.#bytesInFlight > 0 && !this.#cancelled) this.reset();
  }

  onReadable(): void {
    this.#mayPull = true;
    this.#pull();
  }

  onSlowConsumer(notice: SlowConsumerNotice): void {
    const kind = notice.timeLeftMs === undefined ? 'mark' : 'soft limit';
    // A client that reads nothing gets no repeated notices.
    if (this.#ended || this.#noticesInFlight.has(kind)) return;
    this.#noticesInFlight.add(kind);
    const frame = frameOf({ $case: 'slowConsumer', value: slowConsumerMessage(notice, Date.now()) });
    this.#write(frame, () => this.#noticesInFlight.delete(kind));
  }

  onEnd(end: MailboxEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#heartbeatTimer);
    const trailers = { last_sequence: String(end.lastSequence) };
    const failure = endFailure(end);
    // Both ends first send the written frames.
    if (failure) this.call.emit('error', statusError(failure, trailers));
    else this.call.end(trailersOf(trailers));
  }

  #pull(): void {
    const attachment = this.#attachment;
    while (
      this.#mayPull &&
      attachment &&
      this.#bytesInFlight < this.limits.maxBytesInFlight &&
      !this.#ended
    ) {
      const batch = attachment.take(this.limits.maxBatchBytes);
      if (batch === undefined) this.#mayPull = false;
      else this.#writeBatch(batch);
    }
  }

  #writeBatch(batch: Batch): void {
    const frame = new BatchFrame(batch);
    if (this.trace === undefined) {
      this.#write(frame, () => frame.release());
      this.#reportDelay(batch);
    } else this.#writeTraced(batch, frame, this.trace(batch));
  }

  #reportDelay({ queuedAtMs }: Batch): void {
    if (queuedAtMs !== undefined) this.telemetry.eventsDelivered((performance.now() - queuedAtMs) / 1000);
  }

  #writeTraced(batch: Batch, frame: BatchFrame, spans: DeliverySpan): void {
    spans.run(() => this.#reportDelay(batch));
    this.#delivering ??= new Set();
    this.#delivering.add(spans);
    this.#write(frame, () => {
      frame.release();
      this.#delivering?.delete(spans);
      spans.end();
    });
  }

  /** @param taken called when the frame is no longer in use; not called if the client disconnected before */
  #write(frame: ReceiveFrame, taken?: () => void): void {
    const bytes = frame.length;
    shortLivedBuffers.count(bytes);
    this.#bytesInFlight += bytes;
    this.#attachment?.inTransit(bytes);
    this.#busyAt = performance.now();
    this.call.write(frame, () => {
      if (this.#cancelled) return;
      this.#bytesInFlight -= bytes;
      this.#attachment?.inTransit(-bytes);
      if (this.#bytesInFlight === 0) this.#busyAt = performance.now();
      taken?.();
      if (!this.#ended) this.#pull();
    });
  }

  #armHeartbeat(ms: number): void {
    this.#heartbeatTimer = setTimeout(() => this.#beat(), ms);
  }

  #beat(): void {
    const interval = this.heartbeatMs;
    if (interval === undefined || this.#ended) return;
    const idleMs = performance.now() - this.#busyAt;
    if (idleMs < interval) {
      this.#armHeartbeat(Math.ceil(interval - idleMs));
      return;
    }
    const attachment = this.#attachment;
    if (attachment?.complete && this.#bytesInFlight === 0) {
      const value = { lastSequence: BigInt(attachment.givenSequence), time: timestampOf(Date.now()) };
      this.#write(frameOf({ $case: 'heartbeat', value }));
    }
    this.#armHeartbeat(interval);
  }
}
