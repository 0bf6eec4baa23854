import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { ReceiveAttached, ReceiveRequest, SlowConsumerNotice } from 'spread-sidecar-proto';
import { Backoff } from './backoff.js';
import type { BatchEvent, ReceivedResponse } from './batch-decoder.js';
import { toDuration } from './duration.js';
import type { Inbox } from './inbox.js';
import { toSpreadError } from './rich-status.js';
import { SIDECAR_DOMAIN, SpreadError } from './spread-error.js';
import { type Endpoint, SIDECAR_UNREACHABLE } from './unreachable.js';

/** Options of an {@link EventReceiver}. */
export interface EventReceiverOptions {
  mailboxId: string;
  /** The sequence before the first wanted event. */
  afterSequence: bigint;
  maxOutstandingEvents: bigint;
  maxOutstandingBytes: bigint;
  /** Interval of the sidecar's heartbeats on an idle stream. 0 disables them. Unit: ms. */
  heartbeatIntervalMs: number;
  /**
   * Time after a break during which the receiver tries to attach again. Afterwards the mailbox has expired.
   * Unit: ms.
   */
  giveUpAfterMs: number;
  /** The channel of the stream. */
  endpoint: Endpoint;
  /** Whether to attach again after this error. */
  mayPass(error: SpreadError): boolean;
}

/** Callbacks for state changes of the stream. */
export interface ReceiverObserver {
  attached(info: ReceiveAttached): void;
  detached(error: SpreadError): void;
  slowConsumer(notice: SlowConsumerNotice): void;
  ended(error: SpreadError | undefined): void;
}

type Call = ClientReadableStream<ReceivedResponse>;

/** A connection without any frame for this number of heartbeat intervals counts as broken. */
const SILENT_INTERVALS = 3;
/** Maximum number of consecutive attempts that get no further event of an ended mailbox. */
const MAX_EMPTY_ATTEMPTS = 3;
/** Timeout for an unreachable sidecar when the last events of an ended mailbox are fetched. Unit: ms. */
const FETCH_MS = 2000;
/**
 * Reasons that end a stream but not its mailbox. Attaching again would replace the new receiver, or fail
 * again.
 */
const STREAM_ONLY_REASONS = new Set(['RECEIVER_REPLACED', 'SEQUENCE_NOT_RETAINED']);
/** Whether the mailbox still exists after this error ended the stream. */
export const isMailboxAlive = (error: SpreadError): boolean => STREAM_ONLY_REASONS.has(error.reason);
/** After a disconnect, maximum time to wait for the end of the stream. Unit: ms. */
const FINISH_MS = 1000;

/**
 * Fills an inbox from Receive streams. Pauses while the inbox is full. When a stream breaks, attaches again
 * after the last event, so that the inbox gets every event once and in order.
 */
export class EventReceiver {
  readonly #open: (request: ReceiveRequest) => Call;
  readonly #inbox: Inbox;
  readonly #options: EventReceiverOptions;
  readonly #observer: ReceiverObserver;
  readonly #backoff = new Backoff();

  #started = false;
  #call: Call | undefined;
  #attached = false;
  #paused = false;
  #attachWithRoom = false;
  #last: bigint;
  #retryTimer: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #silentCall: Call | undefined;
  #lastFrameAt = 0;
  #brokenSince = 0;
  /** The end of the mailbox, while its last events are still being fetched. */
  #mailboxEnd: { error: SpreadError; last: bigint; fetchedTo: bigint; emptyAttempts: number } | undefined;
  #onSettled: () => void = () => {};

  constructor(
    open: (request: ReceiveRequest) => Call,
    inbox: Inbox,
    options: EventReceiverOptions,
    observer: ReceiverObserver,
  ) {
    this.#open = open;
    this.#inbox = inbox;
    this.#options = options;
    this.#observer = observer;
    this.#last = options.afterSequence;
    inbox.onRoom = () => this.#resume();
  }

  /** Whether a stream is attached. An attached stream keeps the mailbox's lease. */
  get attached(): boolean {
    return this.#attached;
  }

  /** The sequence of the last received event. */
  get lastSequence(): bigint {
    return this.#last;
  }

  /** Starts to receive. Later calls have no effect. */
  start(): void {
    if (this.#started || this.#inbox.ended) return;
    this.#started = true;
    this.#brokenSince = performance.now();
    this.#attach();
  }

  /**
   * Closes the receiver after a disconnect. Waits up to 1 s for the last events of the stream, but not while
   * the inbox is full.
   */
  async finish(): Promise<void> {
    if (this.#call && !this.#paused) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
        timer = setTimeout(resolve, FINISH_MS);
      });
      clearTimeout(timer);
    }
    this.close();
  }

  /** Stops receiving without an error. Events in the inbox remain available. */
  close(): void {
    const call = this.#detach();
    clearTimeout(this.#retryTimer);
    this.#attachWithRoom = false;
    call?.cancel();
    this.#end(undefined);
  }

  #attach(): void {
    const { mailboxId, maxOutstandingEvents, maxOutstandingBytes, heartbeatIntervalMs } = this.#options;
    const call = this.#open({
      mailboxId,
      afterSequence: this.#last,
      maxOutstandingEvents,
      maxOutstandingBytes,
      heartbeatInterval:
        heartbeatIntervalMs > 0 ? toDuration(heartbeatIntervalMs, 'heartbeatIntervalMs') : undefined,
    });
    this.#call = call;
    this.#paused = false;
    this.#attachWithRoom = false;
    call.on('data', (response: ReceivedResponse) => this.#onResponse(call, response));
    call.on('error', (error: ServiceError) => this.#onError(call, error));
    call.on('end', () => {
      if (call !== this.#call) return;
      this.#detach();
      this.#end(undefined);
    });
    this.#watch(call);
  }

  #onResponse(call: Call, { frame }: ReceivedResponse): void {
    if (call !== this.#call || !frame) return;
    this.#lastFrameAt = performance.now();
    switch (frame.$case) {
      case 'attached':
        this.#onAttached(frame.value);
        return;
      case 'events':
        for (const event of frame.events) if (!this.#onEvent(event)) return;
        if (!this.#paused && this.#inbox.full) this.#pause(call);
        return;
      case 'heartbeat':
        if (frame.value.lastSequence > this.#last) this.#onGap(frame.value.lastSequence);
        return;
      case 'slowConsumer':
        this.#observer.slowConsumer(frame.value);
        return;
    }
  }

  #onAttached(info: ReceiveAttached): void {
    if (info.nextSequence !== this.#last + 1n) {
      this.#onGap(info.nextSequence);
      return;
    }
    this.#attached = true;
    this.#backoff.reset();
    this.#observer.attached(info);
  }

  /** Returns false if the event has the wrong sequence. The receiver has then ended with an error. */
  #onEvent({ sequence, event }: BatchEvent): boolean {
    if (sequence <= this.#last) return true;
    if (sequence !== this.#last + 1n) {
      this.#onGap(sequence);
      return false;
    }
    this.#last = sequence;
    if (event) this.#inbox.push(event);
    return true;
  }

  #onGap(sequence: bigint): void {
    const call = this.#detach();
    call?.cancel();
    const message = `event ${this.#last + 1n} is missing: the sidecar is already at sequence ${sequence}`;
    this.#end(new SpreadError(message, { status: status.DATA_LOSS }));
  }

  #pause(call: Call): void {
    this.#paused = true;
    call.pause();
    this.#onSettled();
  }

  #resume(): void {
    if (this.#attachWithRoom) this.#attach();
    if (!this.#paused) return;
    this.#paused = false;
    this.#lastFrameAt = performance.now();
    this.#call?.resume();
  }

  #onError(call: Call, serviceError: ServiceError): void {
    if (call !== this.#call) return;
    // A paused grpc-js stream buffers frames. read() emits them to #onResponse.
    while (call === this.#call && call.read() !== null);
    if (call !== this.#call) return;
    const wasAttached = this.#attached;
    this.#detach();
    const error = this.#explain(call, serviceError);
    const broken = this.#options.mayPass(error);
    if (wasAttached) this.#brokenSince = performance.now();
    const end = broken ? this.#errorAfterBreak(error) : this.#errorAfterEnd(error);
    if (end) {
      this.#end(end);
      return;
    }
    if (broken && wasAttached) this.#observer.detached(error);
    this.#retryTimer = setTimeout(() => {
      // The last events of an ended mailbox wait until the inbox has space. Each further stream would
      // overfill it.
      if (this.#mailboxEnd && this.#inbox.full) this.#attachWithRoom = true;
      else this.#attach();
    }, this.#backoff.next());
  }

  /**
   * A stream that this client cancelled because of missing heartbeats counts as broken, not as cancelled by
   * the application.
   */
  #explain(call: Call, error: ServiceError): SpreadError {
    if (call !== this.#silentCall) return toSpreadError(error, { endpoint: this.#options.endpoint });
    const silentMs = SILENT_INTERVALS * this.#options.heartbeatIntervalMs;
    const message = `the sidecar sent no frame for ${silentMs} ms`;
    return new SpreadError(message, { status: status.UNAVAILABLE, retryable: true, cause: error });
  }

  /** Returns the error that ends the mailbox after a broken stream, or undefined to attach again. */
  #errorAfterBreak(error: SpreadError): SpreadError | undefined {
    const silentMs = performance.now() - this.#brokenSince;
    const end = this.#mailboxEnd;
    if (end && silentMs >= FETCH_MS) return withMissing(end.error, this.#last);
    if (silentMs < this.#options.giveUpAfterMs) return undefined;
    return error.status === status.UNAUTHENTICATED ? error : gaveUp(error, this.#options);
  }

  /**
   * Returns the error that ends the mailbox after the sidecar ended its stream, or undefined to attach again.
   * When a stream ends with an error, grpc-js discards frames that it received but did not emit. The error
   * contains the last sequence. The receiver attaches again while events are missing and attempts return
   * some, and reports the error after these events.
   */
  #errorAfterEnd(error: SpreadError): SpreadError | undefined {
    if (isMailboxAlive(error)) return error;
    this.#mailboxEnd ??= { error, last: lastSequenceOf(error), fetchedTo: -1n, emptyAttempts: 0 };
    const end = this.#mailboxEnd;
    if (end.last <= this.#last) return end.error;
    end.emptyAttempts = end.fetchedTo === this.#last ? end.emptyAttempts + 1 : 0;
    end.fetchedTo = this.#last;
    // An error without a last sequence, such as NOT_FOUND, means that no events can be fetched.
    const canStop = lastSequenceOf(error) <= this.#last || end.emptyAttempts >= MAX_EMPTY_ATTEMPTS;
    return canStop ? withMissing(end.error, this.#last) : undefined;
  }

  #watch(call: Call): void {
    this.#lastFrameAt = performance.now();
    const interval = this.#options.heartbeatIntervalMs;
    if (interval <= 0) return;
    this.#watchdog = setInterval(() => {
      if (this.#paused || performance.now() - this.#lastFrameAt <= SILENT_INTERVALS * interval) return;
      this.#silentCall = call;
      call.cancel();
    }, interval).unref();
  }

  #detach(): Call | undefined {
    const call = this.#call;
    this.#call = undefined;
    this.#attached = false;
    clearInterval(this.#watchdog);
    return call;
  }

  #end(error: SpreadError | undefined): void {
    if (!this.#inbox.ended) {
      this.#inbox.end(error);
      this.#observer.ended(error);
    }
    this.#onSettled();
  }
}

function lastSequenceOf(error: SpreadError): bigint {
  const text = error.metadata.last_sequence ?? '';
  return /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
}

function withMissing(error: SpreadError, received: bigint): SpreadError {
  const { status: code, reason, domain, retryable, retryDelayMs, cause } = error;
  const message = `${error.message}; events ${received + 1n} to ${error.metadata.last_sequence} are lost`;
  const metadata = { ...error.metadata, received_sequence: String(received) };
  return new SpreadError(message, { status: code, reason, domain, metadata, retryable, retryDelayMs, cause });
}

function gaveUp(error: SpreadError, { giveUpAfterMs: afterMs, endpoint }: EventReceiverOptions): SpreadError {
  const message = `the sidecar could not be reached for ${afterMs} ms (the lease of the mailbox): ${error.message}`;
  // The cause is the error of the last attempt. It must not be the CANCELLED of a stream that this client
  // cancelled.
  return new SpreadError(message, {
    status: status.UNAVAILABLE,
    reason: SIDECAR_UNREACHABLE,
    domain: SIDECAR_DOMAIN,
    metadata: { target: endpoint.name },
    cause: error,
  });
}
