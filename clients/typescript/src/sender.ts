import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import type {
  MulticastMessage,
  MulticastRefusal,
  MulticastStreamRequest,
  MulticastStreamResponse,
} from 'spread-sidecar-proto';
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

/** A message of a {@link Sender} that was refused. Nothing of it was sent. */
export interface Refusal {
  /** Its number among the sender's messages, from 1. */
  readonly index: number;
  /** What a unary `multicast` would have rejected with. */
  readonly error: SpreadError;
}

/** How far a {@link Sender} has come. */
export interface SenderProgress {
  /** Messages given to `send`. */
  readonly sent: number;
  /** The messages 1 to `decided` were handed to the daemon or refused. */
  readonly decided: number;
  /** How many of them were handed to the daemon. */
  readonly accepted: number;
}

/** How a {@link Sender} works. */
export interface SenderOptions {
  /** Most messages that may be on their way, not yet decided. At least 1. Default: 10,000. */
  maxInFlightMessages?: number;
  /** Most bytes of such messages. One is always let through. Unit: bytes. Default: 4 MiB. */
  maxInFlightBytes?: number;
  /**
   * A frame is written when its messages have so many bytes; the last of them may be more. Lower it where the sidecar's
   * `grpc.maxReceiveMessageBytes` (4 MiB by default) is set lower. Unit: bytes. Default: 1 MiB.
   */
  maxBatchBytes?: number;
  /**
   * Called for each message that is refused, in order. Without it refusals are collected, the first hundred
   * of them in full, and the next `flush()` or `close()` rejects with an AggregateError of them.
   */
  onRefused?: (refusal: Refusal) => void;
}

/** A frame is written when it holds so many. */
const BATCH_MESSAGES = 1024;
/** Of refusals that nobody listens to, so many are kept. */
const KEPT_REFUSALS = 100;

const HAS_ROOM = Promise.resolve();

const sizeOf = (message: MulticastMessage) => message.payload.length + 32 * message.groups.length + 16;

type Call = ClientDuplexStream<MulticastStreamRequest, MulticastStreamResponse>;

interface Waiter {
  /** How many messages must be decided. */
  until: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Sends many messages fast and in order, over one stream. Messages that are sent in one turn of the event
 * loop travel together; the promise of `send` is the flow control.
 *
 * A stream that breaks is not restored, because that could send a message twice: everything rejects with
 * the same error, and `undecided` has the messages whose outcome is not known.
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
  /** Not yet decided, oldest first from #head on. */
  #inFlight: (MulticastMessage | undefined)[] = [];
  #head = 0;
  #inFlightBytes = 0;
  #sent = 0;
  #decided = 0;
  #accepted = 0;
  #room: (() => void)[] = [];
  #waiters: Waiter[] = [];
  #refusals: SpreadError[] = [];
  #refusedUnheard = 0;
  #failure: SpreadError | undefined;
  #closing = false;
  #over = false;
  readonly #ended: Promise<void>;
  #onEnded: () => void = () => {};

  /** Made by `Mailbox.sender()`. */
  constructor(call: Call, mailboxId: string, options: SenderOptions, endpoint: Endpoint, onUse: () => void) {
    this.#call = call;
    this.#maxMessages = Math.max(1, options.maxInFlightMessages ?? 10_000);
    this.#maxBytes = options.maxInFlightBytes ?? 4 * 1024 * 1024;
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
    call.on('data', (answer: MulticastStreamResponse) => this.#onAnswer(answer));
    call.on('error', (error: ServiceError) => this.#fail(this.#streamError(error)));
    call.on('end', () => this.#onEnd());
    call.write({ frame: { $case: 'open', value: { mailboxId } } });
  }

  /** How far it has come. */
  get progress(): SenderProgress {
    return { sent: this.#sent, decided: this.#decided, accepted: this.#accepted };
  }

  /** Whether it ended; nothing can be sent any more. */
  get closed(): boolean {
    return this.#closing || this.#failure !== undefined;
  }

  /**
   * Messages that were sent and are not decided, oldest first. After a failure: those whose outcome is
   * unknown.
   */
  get undecided(): OutgoingMessage[] {
    return this.#inFlight.slice(this.#head).map((message) => toOutgoing(message as MulticastMessage));
  }

  /**
   * Sends a message to the members of one group or of several. Resolves when there is room for the next one,
   * at once as a rule; it does not say that the message was handed to the daemon: `flush` does.
   *
   * @param serviceType - one of UNRELIABLE_MESS to SAFE_MESS, with SELF_DISCARD added or not
   * @param groups - destinations: groups, or private groups
   * @param payload - must not change before it is decided
   * @param messageType - the application's own number, -32768 to 32767. Default: 0
   * @throws {@link SpreadError} when the sender has ended or the service type is none
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
    // No promise of its own for a message that finds room, as nearly all do.
    return this.#full || this.#failure ? this.#untilRoom() : HAS_ROOM;
  }

  /**
   * Resolves when everything that was sent before is decided.
   *
   * @throws AggregateError of {@link SpreadError} when messages were refused and there is no `onRefused`;
   * {@link SpreadError} when the stream broke
   */
  async flush(): Promise<SenderProgress> {
    this.#writeBatch();
    await this.#untilDecided(this.#sent);
    this.#throwRefusals();
    return this.progress;
  }

  /** Flushes and ends the stream. A second call waits for the first. @throws as {@link flush} */
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

  /** Ends the stream without waiting; messages that are not decided may or may not have been sent. */
  abort(): void {
    if (this.#over) return;
    this.#fail(new SpreadError('the sender was aborted', { status: status.CANCELLED, outcome: 'unknown' }));
    this.#call.cancel();
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The sidecar may know that it handed on nothing of what it has not answered. */
  #streamError(error: ServiceError): SpreadError {
    const told = toSpreadError(error, { endpoint: this.#endpoint });
    if (told.reason === SIDECAR_UNREACHABLE) return told;
    const isKnown = this.#decided === this.#sent || told.metadata.outcome === 'not-sent';
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
    // setImmediate comes after all promises of this turn, so that `await send()` in a loop fills a batch.
    else this.#scheduled ??= setImmediate(() => this.#writeBatch());
  }

  #writeBatch(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#batch.length === 0 || this.#failure) return;
    const messages = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#onUse();
    // What write() returns needs no look: the bound of messages in flight bounds what it queues.
    this.#call.write({ frame: { $case: 'batch', value: { messages } } });
  }

  #onAnswer(answer: MulticastStreamResponse): void {
    this.#onUse();
    const decided = Number(answer.decided);
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
    this.#accepted = Number(answer.accepted);
    for (const refusal of answer.refusals) this.#onRefusal(refusal);
    this.#release();
  }

  #onRefusal(refusal: MulticastRefusal): void {
    const { reason, domain, metadata } = refusal;
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
    this.#refusedUnheard += 1;
    if (this.#refusals.length < KEPT_REFUSALS) this.#refusals.push(error);
  }

  #throwRefusals(): void {
    if (this.#refusedUnheard === 0) return;
    const message = `rejected messages: ${this.#refusedUnheard}, the first: ${this.#refusals[0]?.message}`;
    const errors = this.#refusals;
    this.#refusals = [];
    this.#refusedUnheard = 0;
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
        new SpreadError('the sidecar ended the stream before all messages were decided', {
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
