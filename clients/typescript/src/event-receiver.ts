import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { ReceiveAttached, ReceiveRequest, SlowConsumerNotice } from 'spread-sidecar-proto';
import type { BatchEvent, ReceivedResponse } from './batch-decoder.js';
import { MAX_DELAY_MS, toDuration } from './duration.js';
import type { Inbox } from './inbox.js';
import { toSpreadError } from './rich-status.js';
import { endsStreamOnly } from './rules/failures.js';
import { FINISH_MS, Receiving } from './rules/receiving.js';
import type { SpreadError } from './spread-error.js';
import type { Endpoint } from './unreachable.js';

/** Options of an {@link EventReceiver}. */
export interface EventReceiverOptions {
  mailboxId: string;
  /** The sequence before the first wanted event. */
  afterSequence: bigint;
  maxOutstandingEvents: bigint;
  maxOutstandingBytes: bigint;
  /** Interval of the sidecar's heartbeats on an idle stream. 0 disables them. Unit: ms. */
  heartbeatIntervalMs: number;
  /** The lease of the mailbox. Unit: ms. */
  leaseMs: number;
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
  /** @param isMailboxEnd - whether the mailbox has ended, and not only receiving */
  ended(error: SpreadError | undefined, isMailboxEnd: boolean): void;
}

type Call = ClientReadableStream<ReceivedResponse>;

/**
 * Fills an inbox from Receive streams. Pauses while the inbox is full. When a stream breaks, attaches again
 * after the last event, so that the inbox gets every event once and in order.
 */
export class EventReceiver {
  readonly #open: (request: ReceiveRequest) => Call;
  readonly #inbox: Inbox;
  readonly #options: EventReceiverOptions;
  readonly #observer: ReceiverObserver;
  readonly #rules: Receiving;

  #started = false;
  #call: Call | undefined;
  #paused = false;
  #attachWithRoom = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  /** A stream that this client cancelled because it sent no frames, and its error. */
  #silent: { call: Call; error: SpreadError } | undefined;
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
    const unreachableMetadata = { target: options.endpoint.name };
    this.#rules = new Receiving({ ...options, unreachableMetadata });
    inbox.onRoom = () => this.#resume();
  }

  /** Whether a stream is attached. An attached stream keeps the mailbox's lease. */
  get attached(): boolean {
    return this.#rules.attached;
  }

  /** The sequence of the last received event. */
  get lastSequence(): bigint {
    return this.#rules.lastSequence;
  }

  /** Starts to receive. Later calls have no effect. */
  start(): void {
    if (this.#started || this.#inbox.ended) return;
    this.#started = true;
    this.#rules.start(performance.now());
    this.#attach();
  }

  /** C5: closes the receiver after a disconnect, and first waits for the last events of the stream. */
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

  /** Stops receiving. Events in the inbox remain available. */
  close(error?: SpreadError): void {
    const call = this.#detach();
    clearTimeout(this.#retryTimer);
    this.#attachWithRoom = false;
    call?.cancel();
    this.#end(error, false);
  }

  #attach(): void {
    const { mailboxId, maxOutstandingEvents, maxOutstandingBytes, heartbeatIntervalMs } = this.#options;
    const call = this.#open({
      mailboxId,
      afterSequence: this.#rules.open(performance.now()),
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
      this.#end(undefined); // R15
    });
    this.#watch(call);
  }

  #onResponse(call: Call, { frame }: ReceivedResponse): void {
    if (call !== this.#call) return;
    this.#rules.frame(performance.now());
    if (!frame) return;
    switch (frame.$case) {
      case 'attached':
        this.#onAttached(frame.value);
        return;
      case 'events':
        for (const event of frame.events) if (!this.#onEvent(event)) return;
        if (!this.#paused && this.#inbox.full) this.#pause(call);
        return;
      case 'heartbeat':
        this.#endIfMissing(this.#rules.heartbeat(frame.value.lastSequence));
        return;
      case 'slowConsumer':
        this.#observer.slowConsumer(frame.value);
        return;
    }
  }

  #onAttached(info: ReceiveAttached): void {
    if (!this.#endIfMissing(this.#rules.attach(info.nextSequence))) this.#observer.attached(info);
  }

  /** Returns false if receiving has ended, because the event has the wrong sequence. */
  #onEvent({ sequence, event }: BatchEvent): boolean {
    const order = this.#rules.event(sequence);
    if (order === 'next' && event) this.#inbox.push(event);
    if (order === 'missing') this.#endIfMissing(this.#rules.gapBefore(sequence));
    return order !== 'missing';
  }

  /** Ends receiving if there is an error. */
  #endIfMissing(error: SpreadError | undefined): boolean {
    if (!error) return false;
    this.#detach()?.cancel();
    this.#end(error);
    return true;
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
    this.#rules.resume(performance.now());
    this.#call?.resume();
  }

  #onError(call: Call, serviceError: ServiceError): void {
    if (call !== this.#call) return;
    // A paused grpc-js stream buffers frames. read() emits them to #onResponse.
    while (call === this.#call && call.read() !== null);
    if (call !== this.#call) return;
    this.#stopWatching();
    this.#call = undefined;
    const error = this.#explain(call, serviceError);
    const next = this.#rules.fails(error, performance.now());
    if ('end' in next) {
      this.#end(next.end);
      return;
    }
    this.#retryTimer = setTimeout(() => {
      if (this.#rules.mayAttach(this.#inbox.full)) this.#attach();
      else this.#attachWithRoom = true;
    }, next.pauseMs);
    // The application may close the receiver in this callback.
    if (next.isDetached) this.#observer.detached(error);
  }

  /**
   * A stream that this client cancelled because of missing frames counts as broken, not as cancelled by the
   * application.
   */
  #explain(call: Call, error: ServiceError): SpreadError {
    if (call === this.#silent?.call) return this.#silent.error;
    return toSpreadError(error, { endpoint: this.#options.endpoint });
  }

  /** Cancels a stream without frames. Time in which the stream is paused does not count. */
  #watch(call: Call): void {
    const now = performance.now();
    if (this.#paused) this.#rules.resume(now);
    const leftMs = this.#rules.silenceLeft(now);
    if (leftMs <= 0) {
      this.#silent = { call, error: this.#rules.silence() };
      call.cancel();
    } else if (leftMs < Number.POSITIVE_INFINITY) {
      this.#watchdog = setTimeout(() => this.#watch(call), Math.min(leftMs, MAX_DELAY_MS)).unref();
    }
  }

  #stopWatching(): void {
    clearTimeout(this.#watchdog);
  }

  #detach(): Call | undefined {
    const call = this.#call;
    this.#call = undefined;
    this.#rules.closes();
    this.#stopWatching();
    return call;
  }

  #end(error: SpreadError | undefined, isMailboxEnd = error !== undefined && !endsStreamOnly(error)): void {
    if (!this.#inbox.ended) {
      this.#inbox.end(error);
      this.#observer.ended(error, isMailboxEnd);
    }
    this.#onSettled();
  }
}
