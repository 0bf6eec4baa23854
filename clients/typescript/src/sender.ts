import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import type { MulticastRefusal, MulticastStreamRequest, MulticastStreamResponse } from 'spread-sidecar-proto';
import { EncodedFrame, encodeBatch } from './batch-encoder.js';
import { FrameBuffers } from './frame-buffers.js';
import {
  type MulticastOptions,
  type OutgoingMessage,
  type Payload,
  toMulticastMessage,
  toOutgoing,
} from './outgoing.js';
import { toSpreadError } from './rich-status.js';
import { RejectedMessages } from './rules/rejected-messages.js';
import { SendWindow } from './rules/send-window.js';
import { SpreadError } from './spread-error.js';
import type { Endpoint } from './unreachable.js';

/** A rejected message of a {@link Sender}. It was not sent. */
export interface Refusal {
  /** The position of the message among the sender's messages, starting at 1. */
  readonly index: number;
  /** The error with which a unary `multicast` would have rejected. */
  readonly error: SpreadError;
}

/**
 * The progress of a {@link Sender}. The sidecar reports the progress within 20 ms, or when `flush` waits for
 * it.
 */
export interface SenderProgress {
  /** Number of messages passed to `send`. */
  readonly sent: number;
  /** The messages 1 to `decided` were passed to the daemon or rejected. */
  readonly decided: number;
  /** Number of messages that were passed to the daemon. */
  readonly accepted: number;
}

/** Options of a {@link Sender}. */
export interface SenderOptions {
  /**
   * Maximum number of messages in flight: sent, but not yet passed to the daemon or rejected. At least 1.
   * Default: 10,000.
   */
  maxInFlightMessages?: number;
  /** Maximum size of the messages in flight. A single message may be larger. Unit: bytes. Default: 4 MiB. */
  maxInFlightBytes?: number;
  /**
   * The sender writes a frame when its messages reach this size. The last message of a frame may exceed the
   * size. Set a lower value if the sidecar's `grpc.maxReceiveMessageBytes` (4 MiB by default) is lower. Unit:
   * bytes. Default: 1 MiB.
   */
  maxBatchBytes?: number;
  /**
   * Called for each rejected message, in order. If it is not set, the next `flush()` or `close()` rejects
   * with an AggregateError, which contains the first 100 errors.
   */
  onRefused?: (refusal: Refusal) => void;
}

/** Time after a batch in which the next batch waits for the end of the turn. */
const SHARED_FRAME_MS = 0.2;

const HAS_ROOM = Promise.resolve();

type Call = ClientDuplexStream<MulticastStreamRequest, MulticastStreamResponse>;

interface Waiter {
  /** Number of messages that must be decided. */
  until: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Sends many messages fast and in order over one stream. Messages that are sent in one callback, or soon
 * after each other, share a frame. Await the promise of `send`, which applies flow control.
 *
 * The client does not replace a broken stream, because that could send a message twice. All later calls
 * reject with the same error, and `undecided` contains the messages with an unknown outcome.
 */
export class Sender {
  readonly #call: Call;
  readonly #window: SendWindow;
  readonly #onRefused: ((refusal: Refusal) => void) | undefined;
  readonly #endpoint: Endpoint;
  readonly #onUse: () => void;

  /** Whether a write is scheduled, and its timer if there is one. */
  #isScheduled = false;
  #scheduled: NodeJS.Immediate | undefined;
  /** Time of the last written frame. Unit: ms of the monotonic clock. */
  #wroteAt = Number.NEGATIVE_INFINITY;
  readonly #frames: FrameBuffers;
  readonly #rejected = new RejectedMessages();
  #room: (() => void)[] = [];
  #waiters: Waiter[] = [];
  #failure: SpreadError | undefined;
  #over = false;
  readonly #ended: Promise<void>;
  #onEnded: () => void = () => {};

  /** Use `Mailbox.sender()` instead of this constructor. */
  constructor(call: Call, mailboxId: string, options: SenderOptions, endpoint: Endpoint, onUse: () => void) {
    this.#call = call;
    const { maxInFlightMessages = 10_000, maxInFlightBytes = 4 * 1024 * 1024 } = options;
    const { maxBatchBytes = 1024 * 1024 } = options;
    this.#window = new SendWindow({ maxInFlightMessages, maxInFlightBytes, maxBatchBytes });
    this.#frames = new FrameBuffers(maxInFlightBytes);
    this.#onRefused = options.onRefused;
    this.#endpoint = endpoint;
    this.#onUse = onUse;
    this.#ended = new Promise((resolve) => {
      this.#onEnded = () => {
        this.#over = true;
        resolve();
      };
    });
    call.on('data', (response: MulticastStreamResponse) => this.#onResponse(response));
    call.on('error', (error: ServiceError) => this.#fail(this.#streamError(error)));
    call.on('end', () => this.#onEnd());
    // S4
    call.write({ frame: { $case: 'open', value: { mailboxId, respondsOnRequest: true } } });
  }

  /** The progress. */
  get progress(): SenderProgress {
    const { sent, decided, accepted } = this.#window;
    return { sent, decided, accepted };
  }

  /** Whether the sender has ended and cannot send. */
  get closed(): boolean {
    return this.#window.closing || this.#failure !== undefined;
  }

  /**
   * The sent messages that were neither passed to the daemon nor rejected, oldest first. After a failure,
   * their outcome is unknown.
   */
  get undecided(): OutgoingMessage[] {
    return this.#window.undecided.map(toOutgoing);
  }

  /**
   * Sends a message to the members of one group or of several groups. Resolves when the client can accept the
   * next message, usually immediately. The call does not wait until the daemon gets the message; use `flush`
   * for that.
   *
   * @param serviceType - one of UNRELIABLE_MESS to SAFE_MESS, optionally with SELF_DISCARD
   * @param groups - destinations: groups or private groups
   * @param payload - must not change before the message is passed to the daemon or rejected
   * @param messageType - the application's own number, -32768 to 32767. Default: 0
   * @throws {@link SpreadError} if the sender has ended or the service type is invalid
   */
  send(
    serviceType: number,
    groups: string | readonly string[],
    payload: Payload,
    messageType?: number,
    options?: MulticastOptions,
  ): Promise<void> {
    try {
      this.#checkOpen();
      const list = typeof groups === 'string' ? [groups] : groups;
      this.#window.add(toMulticastMessage(serviceType, list, payload, messageType, options));
      if (this.#window.isFrameFull) this.#write();
      else if (!this.#isScheduled) this.#scheduleWrite();
    } catch (error) {
      return Promise.reject(error);
    }
    // Most messages find space, so they share one resolved promise.
    return this.#window.isFull || this.#failure ? this.#untilRoom() : HAS_ROOM;
  }

  /**
   * Resolves when all earlier messages were passed to the daemon or rejected.
   *
   * @throws AggregateError of {@link SpreadError} if messages were rejected and `onRefused` is not set
   * @throws {@link SpreadError} if the stream broke
   */
  async flush(): Promise<SenderProgress> {
    this.#write(true);
    await this.#untilDecided(this.#window.sent);
    this.#rejected.throwIfAny();
    return this.progress;
  }

  /**
   * Flushes the messages and ends the stream. A second call waits for the first call.
   *
   * @throws the same errors as {@link flush}
   */
  async close(): Promise<SenderProgress> {
    if (!this.#window.closing && !this.#failure) {
      this.#write();
      this.#window.close();
      this.#call.end();
    }
    await this.#ended;
    if (this.#failure) throw this.#failure;
    this.#rejected.throwIfAny();
    return this.progress;
  }

  /**
   * Ends the stream without waiting. The outcome of messages that were neither passed to the daemon nor
   * rejected is unknown.
   */
  abort(): void {
    if (this.#over) return;
    const outcome = this.#window.isSettled ? 'not-sent' : 'unknown';
    this.#fail(new SpreadError('the sender was aborted', { status: status.CANCELLED, outcome }));
    this.#call.cancel();
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #streamError(error: ServiceError): SpreadError {
    const endpoint = this.#endpoint;
    const outcome = this.#window.outcomeAfter(toSpreadError(error, { endpoint }));
    return toSpreadError(error, { endpoint, outcome });
  }

  async #untilRoom(): Promise<void> {
    while (this.#window.isFull && !this.#failure)
      await new Promise<void>((resolve) => this.#room.push(resolve));
    if (this.#failure) throw this.#failure;
  }

  #checkOpen(): void {
    if (this.#failure) throw this.#failure;
    if (this.#window.closing)
      throw new SpreadError('the sender is closed', {
        status: status.FAILED_PRECONDITION,
        outcome: 'not-sent',
      });
  }

  /**
   * Writes at the end of the running callback, when `await send()` in a loop has filled a batch. Soon after
   * another write, waits for the end of the turn, so that the callbacks of a turn share a frame.
   */
  #scheduleWrite(): void {
    this.#isScheduled = true;
    if (performance.now() - this.#wroteAt > SHARED_FRAME_MS) process.nextTick(this.#writeScheduled);
    else this.#scheduled = setImmediate(this.#writeScheduled);
  }

  /** Bound once, because each frame schedules it. */
  readonly #writeScheduled = (): void => this.#write();

  /** @param isFlush - whether the application waits until the messages are decided */
  #write(isFlush = false): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#isScheduled = false;
    while (!this.#failure && !this.#window.closing) {
      const frame = this.#window.nextFrame(isFlush);
      if (!frame) return;
      this.#wroteAt = performance.now();
      this.#onUse();
      // The result of write() can be ignored: the limit of messages in flight also limits the stream's queue.
      const until = this.#window.written;
      const bytes = encodeBatch(frame, (size, fill) => this.#frames.write(size, until, fill));
      this.#call.write(new EncodedFrame(bytes));
    }
  }

  #onResponse(response: MulticastStreamResponse): void {
    this.#onUse();
    if (this.#failure) return;
    const decided = Number(response.decided);
    const error = this.#window.response(decided, Number(response.accepted));
    if (error) {
      this.#fail(error);
      this.#call.cancel();
      return;
    }
    this.#frames.decided(decided);
    for (const refusal of response.refusals) this.#onRefusal(refusal);
    this.#release();
  }

  #onRefusal(refusal: MulticastRefusal): void {
    const { reason, domain } = refusal;
    const metadata = Object.fromEntries(refusal.metadata);
    const index = Number(refusal.index);
    const error = new SpreadError(refusal.statusMessage, {
      status: refusal.statusCode,
      reason,
      domain,
      metadata: { ...metadata, index: String(index) },
      retryable: refusal.statusCode === status.UNAVAILABLE,
      outcome: metadata.outcome === 'unknown' ? 'unknown' : 'not-sent',
    });
    if (this.#onRefused) {
      this.#onRefused({ index, error });
      return;
    }
    this.#rejected.add(error);
  }

  #release(): void {
    if (!this.#window.isFull) for (const resolve of this.#room.splice(0)) resolve();
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.until > this.#window.decided) return true;
      waiter.resolve();
      return false;
    });
  }

  #untilDecided(count: number): Promise<void> {
    if (this.#window.decided >= count) return Promise.resolve();
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ until: count, resolve, reject }));
  }

  #onEnd(): void {
    if (this.#failure) return;
    const error = this.#window.errorAtEnd();
    if (error) this.#fail(error);
    this.#onEnded();
  }

  #fail(error: SpreadError): void {
    if (this.#failure) return;
    this.#failure = error;
    if (this.#scheduled) clearImmediate(this.#scheduled);
    for (const resolve of this.#room.splice(0)) resolve();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.#onEnded();
  }
}
