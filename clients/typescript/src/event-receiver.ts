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

/** How to receive. */
export interface EventReceiverOptions {
  mailboxId: string;
  /** The event before the first one that is wanted. */
  afterSequence: bigint;
  maxOutstandingEvents: bigint;
  maxOutstandingBytes: bigint;
  /** On an idle stream the sidecar gives a sign of life this often; 0: none. Unit: ms. */
  heartbeatIntervalMs: number;
  /** Tries to attach again go on this long after a break: the mailbox is gone then. Unit: ms. */
  giveUpAfterMs: number;
  /** Where the stream goes. */
  endpoint: Endpoint;
  /** Whether to attach again after a stream that ended so. */
  mayPass(error: SpreadError): boolean;
}

/** Who is told what happens to the stream. */
export interface ReceiverObserver {
  attached(info: ReceiveAttached): void;
  detached(error: SpreadError): void;
  slowConsumer(notice: SlowConsumerNotice): void;
  ended(error: SpreadError | undefined): void;
}

type Call = ClientReadableStream<ReceivedResponse>;

/** So many silent heartbeat intervals mean that the connection is dead. */
const SILENT_INTERVALS = 3;
/** So many attempts to get the last events of an ended mailbox are made without getting any. */
const FRUITLESS_ATTEMPTS = 3;
/** A sidecar that can't be reached is asked this long for the last events of an ended mailbox. Unit: ms. */
const FETCH_MS = 2000;
/** Ends of a stream whose mailbox lives on: attaching again would take it from its new receiver, or be in vain. */
const LIVING_MAILBOX = new Set(['RECEIVER_REPLACED', 'SEQUENCE_NOT_RETAINED']);
/** Whether receiving has ended with this error, and the mailbox has not. */
export const livesOn = (error: SpreadError): boolean => LIVING_MAILBOX.has(error.reason);
/** After a disconnect, the stream's own end is waited for this long. Unit: ms. */
const FINISH_MS = 1000;

/**
 * Fills an inbox from Receive streams: attaches, pauses while the inbox is full, and attaches again behind
 * the last event when a stream breaks, so that the inbox gets every event once and in order.
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
  /** The mailbox's end, while its last events are still being fetched. */
  #endSeen: { error: SpreadError; last: bigint; fetchedTo: bigint; fruitless: number } | undefined;
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

  /** Whether a stream to the sidecar stands: it keeps the mailbox's lease. */
  get attached(): boolean {
    return this.#attached;
  }

  /** The last event that was received. */
  get lastSequence(): bigint {
    return this.#last;
  }

  /** Begins to receive; later calls change nothing. */
  start(): void {
    if (this.#started || this.#inbox.ended) return;
    this.#started = true;
    this.#brokenSince = performance.now();
    this.#attach();
  }

  /**
   * The mailbox was disconnected: takes the last events if the stream ends within a second, and not if the
   * inbox is full, and closes.
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

  /** Ends receiving, without an error. What is in the inbox can still be taken. */
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

  /** False when the event is not the one that is due, which has ended everything. */
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
    const message = `event ${this.#last + 1n} is missing: the sidecar continued with ${sequence}`;
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
    // grpc-js keeps frames that a paused stream has not emitted: read() emits them to #onResponse.
    while (call === this.#call && call.read() !== null);
    if (call !== this.#call) return;
    const wasAttached = this.#attached;
    this.#detach();
    const error = this.#explain(call, serviceError);
    const broken = this.#options.mayPass(error);
    if (wasAttached) this.#brokenSince = performance.now();
    const end = broken ? this.#judgeBreak(error) : this.#judgeEnd(error);
    if (end) {
      this.#end(end);
      return;
    }
    if (broken && wasAttached) this.#observer.detached(error);
    this.#retryTimer = setTimeout(() => {
      // The last events of an ended mailbox wait there; each further stream would overfill the inbox.
      if (this.#endSeen && this.#inbox.full) this.#attachWithRoom = true;
      else this.#attach();
    }, this.#backoff.next());
  }

  /** A stream that was cancelled for its silence is a broken one: the application has cancelled nothing. */
  #explain(call: Call, error: ServiceError): SpreadError {
    if (call !== this.#silentCall) return toSpreadError(error, { endpoint: this.#options.endpoint });
    const silentMs = SILENT_INTERVALS * this.#options.heartbeatIntervalMs;
    const message = `the stream was silent for ${silentMs} ms`;
    return new SpreadError(message, { status: status.UNAVAILABLE, retryable: true, cause: error });
  }

  /** What the mailbox ends with after its stream broke; undefined: attach again. */
  #judgeBreak(error: SpreadError): SpreadError | undefined {
    const silentMs = performance.now() - this.#brokenSince;
    const end = this.#endSeen;
    if (end && silentMs >= FETCH_MS) return withMissing(end.error, this.#last);
    if (silentMs < this.#options.giveUpAfterMs) return undefined;
    return error.status === status.UNAUTHENTICATED ? error : gaveUp(error, this.#options);
  }

  /**
   * What the mailbox ends with after the sidecar ended its stream; undefined: attach again. grpc-js drops
   * frames that it has not yet handed on when a stream ends with an error, although the sidecar sent them
   * before. The end says which event is the last: as long as some are missing and come, they are fetched by
   * attaching again, and the end is told after them.
   */
  #judgeEnd(error: SpreadError): SpreadError | undefined {
    if (livesOn(error)) return error;
    this.#endSeen ??= { error, last: lastSequenceOf(error), fetchedTo: -1n, fruitless: 0 };
    const end = this.#endSeen;
    if (end.last <= this.#last) return end.error;
    end.fruitless = end.fetchedTo === this.#last ? end.fruitless + 1 : 0;
    end.fetchedTo = this.#last;
    // An answer without a last event, such as NOT_FOUND, says that there is nothing to fetch any more.
    const hopeless = lastSequenceOf(error) <= this.#last || end.fruitless >= FRUITLESS_ATTEMPTS;
    return hopeless ? withMissing(end.error, this.#last) : undefined;
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
  const message = `${error.message}; the events ${received + 1n} to ${error.metadata.last_sequence} were lost with it`;
  const metadata = { ...error.metadata, received_sequence: String(received) };
  return new SpreadError(message, { status: code, reason, domain, metadata, retryable, retryDelayMs, cause });
}

function gaveUp(error: SpreadError, { giveUpAfterMs: afterMs, endpoint }: EventReceiverOptions): SpreadError {
  const message = `the sidecar was not reached for ${afterMs} ms, the mailbox's lease: ${error.message}`;
  // Whatever the last attempt ended with: a stream that was cancelled for its silence has not been cancelled by the user.
  return new SpreadError(message, {
    status: status.UNAVAILABLE,
    reason: SIDECAR_UNREACHABLE,
    domain: SIDECAR_DOMAIN,
    metadata: { target: endpoint.name },
    cause: error,
  });
}
