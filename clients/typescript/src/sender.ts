import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import type {
  MulticastMessage,
  MulticastRefusal,
  MulticastStreamRequest,
  MulticastStreamResponse,
} from 'spread-sidecar-proto';
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
import { SpreadError } from './spread-error.js';
import { type Endpoint, SIDECAR_UNREACHABLE } from './unreachable.js';

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

/** Maximum number of messages in a frame. */
const BATCH_MESSAGES = 1024;
/** Time after a batch in which the next batch waits for the end of the turn. */
const SHARED_FRAME_MS = 0.2;
/** Maximum number of retained errors if there is no `onRefused`. */
const MAX_KEPT_REFUSALS = 100;

const HAS_ROOM = Promise.resolve();

const sizeOf = (message: MulticastMessage) => message.payload.length + 32 * message.groups.length + 16;

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
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #batchMaxBytes: number;
  readonly #onRefused: ((refusal: Refusal) => void) | undefined;
  readonly #endpoint: Endpoint;
  readonly #onUse: () => void;

  #batch: MulticastMessage[] = [];
  #batchBytes = 0;
  #scheduled: NodeJS.Immediate | undefined;
  /** Time of the last written batch. Unit: ms of the monotonic clock. */
  #wroteAt = Number.NEGATIVE_INFINITY;
  /** The messages 1 to this number have a response, or a requested one. */
  #requested = 0;
  /** Size of the messages since the last requested response. */
  #unrequestedBytes = 0;
  readonly #frames: FrameBuffers;
  /** The messages that are not decided, oldest first, starting at #head. */
  #inFlight: (MulticastMessage | undefined)[] = [];
  #head = 0;
  #inFlightBytes = 0;
  #sent = 0;
  #decided = 0;
  #accepted = 0;
  #room: (() => void)[] = [];
  #waiters: Waiter[] = [];
  #refusals: SpreadError[] = [];
  #unreportedRefusals = 0;
  #failure: SpreadError | undefined;
  #closing = false;
  #over = false;
  readonly #ended: Promise<void>;
  #onEnded: () => void = () => {};

  /** Use `Mailbox.sender()` instead of this constructor. */
  constructor(call: Call, mailboxId: string, options: SenderOptions, endpoint: Endpoint, onUse: () => void) {
    this.#call = call;
    this.#maxMessages = Math.max(1, options.maxInFlightMessages ?? 10_000);
    this.#maxBytes = options.maxInFlightBytes ?? 4 * 1024 * 1024;
    this.#frames = new FrameBuffers(this.#maxBytes);
    this.#batchMaxBytes = options.maxBatchBytes ?? 1024 * 1024;
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
    call.write({ frame: { $case: 'open', value: { mailboxId, respondsOnRequest: true } } });
  }

  /** The progress. */
  get progress(): SenderProgress {
    return { sent: this.#sent, decided: this.#decided, accepted: this.#accepted };
  }

  /** Whether the sender has ended and cannot send. */
  get closed(): boolean {
    return this.#closing || this.#failure !== undefined;
  }

  /**
   * The sent messages that were neither passed to the daemon nor rejected, oldest first. After a failure,
   * their outcome is unknown.
   */
  get undecided(): OutgoingMessage[] {
    return this.#inFlight.slice(this.#head).map((message) => toOutgoing(message as MulticastMessage));
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
      const message = toMulticastMessage(serviceType, list, payload, messageType, options);
      this.#sent += 1;
      this.#inFlight.push(message);
      this.#inFlightBytes += sizeOf(message);
      this.#enqueue(message);
    } catch (error) {
      return Promise.reject(error);
    }
    // Most messages find space, so they share one resolved promise.
    return this.#full || this.#failure ? this.#untilRoom() : HAS_ROOM;
  }

  /**
   * Resolves when all earlier messages were passed to the daemon or rejected.
   *
   * @throws AggregateError of {@link SpreadError} if messages were rejected and `onRefused` is not set
   * @throws {@link SpreadError} if the stream broke
   */
  async flush(): Promise<SenderProgress> {
    this.#writeBatch(true);
    await this.#untilDecided(this.#sent);
    this.#throwRefusals();
    return this.progress;
  }

  /**
   * Flushes the messages and ends the stream. A second call waits for the first call.
   *
   * @throws the same errors as {@link flush}
   */
  async close(): Promise<SenderProgress> {
    if (!this.#closing && !this.#failure) {
      this.#writeBatch();
      this.#closing = true;
      this.#call.end();
    }
    await this.#ended;
    if (this.#failure) throw this.#failure;
    this.#throwRefusals();
    return this.progress;
  }

  /**
   * Ends the stream without waiting. The outcome of messages that were neither passed to the daemon nor
   * rejected is unknown.
   */
  abort(): void {
    if (this.#over) return;
    const outcome = this.#decided === this.#sent ? 'not-sent' : 'unknown';
    this.#fail(new SpreadError('the sender was aborted', { status: status.CANCELLED, outcome }));
    this.#call.cancel();
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The sidecar may report that it passed none of the undecided messages to the daemon. */
  #streamError(error: ServiceError): SpreadError {
    const spreadError = toSpreadError(error, { endpoint: this.#endpoint });
    if (spreadError.reason === SIDECAR_UNREACHABLE) return spreadError;
    const isKnown = this.#decided === this.#sent || spreadError.metadata.outcome === 'not-sent';
    return toSpreadError(error, { outcome: isKnown ? 'not-sent' : 'unknown' });
  }

  get #full(): boolean {
    const count = this.#inFlight.length - this.#head;
    return count >= this.#maxMessages || (this.#inFlightBytes >= this.#maxBytes && count > 0);
  }

  async #untilRoom(): Promise<void> {
    while (this.#full && !this.#failure) await new Promise<void>((resolve) => this.#room.push(resolve));
    if (this.#failure) throw this.#failure;
  }

  #checkOpen(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closing)
      throw new SpreadError('the sender is closed', {
        status: status.FAILED_PRECONDITION,
        outcome: 'not-sent',
      });
  }

  #enqueue(message: MulticastMessage): void {
    this.#batch.push(message);
    this.#batchBytes += sizeOf(message);
    if (this.#batchBytes >= this.#batchMaxBytes || this.#batch.length >= BATCH_MESSAGES) this.#writeBatch();
    else if (this.#batch.length === 1) this.#scheduleWrite();
  }

  /**
   * Writes at the end of the running callback, when `await send()` in a loop has filled a batch. Soon after
   * another write, waits for the end of the turn, so that the callbacks of a turn share a frame.
   */
  #scheduleWrite(): void {
    if (performance.now() - this.#wroteAt > SHARED_FRAME_MS) process.nextTick(this.#writeScheduled);
    else this.#scheduled = setImmediate(this.#writeScheduled);
  }

  /** Bound once, because each batch schedules it. */
  readonly #writeScheduled = (): void => this.#writeBatch();

  /** @param isAwaited - whether the application waits until the messages are decided */
  #writeBatch(isAwaited = false): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const isRequestMissing = isAwaited && this.#requested < this.#sent && this.#decided < this.#sent;
    if ((this.#batch.length === 0 && !isRequestMissing) || this.#failure || this.#closing) return;
    const messages = this.#batch;
    this.#unrequestedBytes += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    const respond = isRequestMissing || this.#isProgressDue;
    if (respond) {
      this.#requested = this.#sent;
      this.#unrequestedBytes = 0;
    }
    this.#wroteAt = performance.now();
    this.#onUse();
    // The result of write() can be ignored: the limit of messages in flight also limits the stream's queue.
    const until = this.#sent;
    const bytes = encodeBatch({ messages, respond }, (size, fill) => this.#frames.write(size, until, fill));
    this.#call.write(new EncodedFrame(bytes));
  }

  /** Requests come well before the limits of messages in flight, so that the sender does not wait for a response. */
  get #isProgressDue(): boolean {
    const count = this.#sent - this.#requested;
    return count >= this.#maxMessages / 4 || this.#unrequestedBytes >= this.#maxBytes / 4;
  }

  #onResponse(response: MulticastStreamResponse): void {
    this.#onUse();
    const decided = Number(response.decided);
    while (this.#decided < decided && this.#head < this.#inFlight.length) {
      this.#inFlightBytes -= sizeOf(this.#inFlight[this.#head] as MulticastMessage);
      this.#inFlight[this.#head] = undefined;
      this.#head += 1;
      this.#decided += 1;
    }
    if (this.#head * 2 >= this.#inFlight.length) {
      this.#inFlight = this.#inFlight.slice(this.#head);
      this.#head = 0;
    }
    this.#frames.decided(decided);
    this.#accepted = Number(response.accepted);
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
    this.#unreportedRefusals += 1;
    if (this.#refusals.length < MAX_KEPT_REFUSALS) this.#refusals.push(error);
  }

  #throwRefusals(): void {
    if (this.#unreportedRefusals === 0) return;
    const message = `rejected messages: ${this.#unreportedRefusals}; first error: ${this.#refusals[0]?.message}`;
    const errors = this.#refusals;
    this.#refusals = [];
    this.#unreportedRefusals = 0;
    throw new AggregateError(errors, message);
  }

  #release(): void {
    if (!this.#full) for (const resolve of this.#room.splice(0)) resolve();
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.until > this.#decided) return true;
      waiter.resolve();
      return false;
    });
  }

  #untilDecided(count: number): Promise<void> {
    if (this.#decided >= count) return Promise.resolve();
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ until: count, resolve, reject }));
  }

  #onEnd(): void {
    if (this.#failure) return;
    if (!this.#closing || this.#decided < this.#sent)
      this.#fail(
        new SpreadError('the sidecar ended the stream before it accepted or rejected all messages', {
          status: status.UNAVAILABLE,
          outcome: 'unknown',
        }),
      );
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
