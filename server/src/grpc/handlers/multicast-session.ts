import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type {
  MulticastMessage,
  MulticastRefusal,
  MulticastStreamRequest,
  MulticastStreamResponse,
} from 'spread-sidecar-proto';
import type { OutgoingMessage } from '../../mailbox/mailbox-types.js';
import { MailboxError } from '../../mailbox/sidecar-error.js';
import { shortLivedBuffers } from '../../memory/short-lived-buffers.js';
import { outgoingMessage } from '../codec/convert.js';
import { EdgeError } from '../codec/edge-error.js';
import type { Failure, FailureTranslator } from '../codec/failure.js';
import { Malformed, Undecoded } from '../codec/malformed.js';
import type { HeaderMode } from '../codec/message-headers.js';
import { required } from '../codec/request-fields.js';
import { malformedError, statusError } from '../codec/status.js';
import type { TracedOutgoing } from '../codec/traced-message.js';

/** The mailbox, as a stream uses it. */
export interface SendingMailbox {
  /** Keeps the mailbox alive until the returned function is called. */
  hold(): () => void;
  /** False: the caller should wait for onSendRoom. Throws if the message is rejected before sending. */
  send(message: OutgoingMessage, onTaken: (error?: Error) => void): boolean;
  onSendRoom(callback: () => void): void;
  /** Calls back once when the mailbox cannot send any more. Earlier messages may still be decided. */
  onEnd(callback: (error: Error) => void): () => void;
}

/** The limits of a stream. */
export interface SendingBounds {
  /** Whether messages may have headers. */
  readonly headers: HeaderMode;
  /** Largest number of messages of a batch. */
  readonly maxBatchMessages: number;
  /**
   * Counts sent messages in the rate of the client.
   *
   * @returns delay for the next messages, in ms
   */
  spendMessages(count: number): number;
  /** Starts the span of a message. Undefined while tracing is off. Throws if the message is rejected. */
  readonly trace?: ((message: MulticastMessage, batchMessages: number) => TracedOutgoing) | undefined;
}

/** The call, as a stream uses it. */
export interface CallInput {
  /** Allows the next frame. */
  allowRead(): void;
  /** Runs work now, or after the turns of other connections. @param expected - in small unary calls */
  takeTurn(work: () => void, expected: number): void;
  /** Counts work against the connection. @param cost - in small unary calls */
  spendTurn(cost: number): void;
}

/** A received frame. */
export type IncomingFrame = MulticastStreamRequest | Undecoded<MulticastStreamRequest> | Malformed;

type Call = ServerDuplexStream<MulticastStreamRequest | Malformed, MulticastStreamResponse>;

/**
 * Largest number of rejections in one response: at about 300 bytes each, well below the message limit of any
 * client.
 */
const MAX_REFUSALS = 500;
/** Longest time without a response about decided messages when the client requests responses. Unit: ms. */
const MAX_RESPONSE_DELAY_MS = 20;
/** Number of messages of a batch that are passed on in one turn of the event loop, before other connections. */
const SLICE = 512;
/** Number of messages, and bytes of a frame to decode, with the cost of one small unary call. */
const MESSAGES_PER_CALL = 32;
const BYTES_PER_CALL = 2048;

/**
 * One MulticastStream call. A frame is allowed only when every message of the previous frame is decided. A broken
 * stream therefore leaves at most one undecided batch, and the batches without a response yet. HTTP/2's flow control
 * slows down a sender that is faster than the daemon.
 */
export class MulticastSession {
  #mailbox: SendingMailbox | undefined;
  #batch: readonly MulticastMessage[] = [];
  /** Index in the batch of the next message to pass on. */
  #next = 0;
  /** Number of messages of earlier frames and of this one before #next. */
  #seen = 0;
  #decided = 0;
  #accepted = 0;
  /** Rejected messages that are not answered yet, in order. */
  #refusals: MulticastRefusal[] = [];
  /** Number of these rejected messages that are decided: every message before them is. */
  #passed = 0;
  #working = false;
  /** Whether the client requests the responses that it waits for. */
  #respondsOnRequest = false;
  /** Whether the client waits for the response to the running batch. */
  #isResponseRequested = true;
  /** Runs while decided messages have no response yet. */
  #delayedResponse: NodeJS.Timeout | undefined;
  /** The end of the stream, once all messages that were passed on are decided. No more messages are passed on. */
  #stopWith: Failure | undefined;
  #ended = false;
  #release: (() => void) | undefined;
  /** Runs while the client exceeds its rate. */
  #pacing: NodeJS.Timeout | undefined;

  /**
   * @param open finds the mailbox, or throws
   */
  constructor(
    private readonly call: Call,
    private readonly failures: FailureTranslator,
    private readonly open: (mailboxId: string) => SendingMailbox,
    private readonly input: CallInput,
    private readonly bounds: SendingBounds,
  ) {}

  /** The next frame. Called only after allowRead(). */
  onFrame(request: IncomingFrame): void {
    if (!(request instanceof Undecoded)) {
      this.#onFrame(request);
      return;
    }
    shortLivedBuffers.count(request.bytes.length);
    this.input.takeTurn(() => {
      if (!this.#ended) this.#onFrame(request.decode());
    }, request.bytes.length / BYTES_PER_CALL);
  }

  #onFrame(request: MulticastStreamRequest | Malformed): void {
    if (this.#ended) return;
    try {
      if (request instanceof Malformed) throw malformedError(request);
      const frame = required(request.frame, 'frame');
      if (this.#mailbox === undefined) {
        if (frame.$case !== 'open') throw frameError('the first frame must set the field "open"');
        this.#mailbox = this.open(required(frame.value.mailboxId, 'open.mailbox_id'));
        this.#respondsOnRequest = frame.value.respondsOnRequest;
        const releaseHold = this.#mailbox.hold();
        const forget = this.#mailbox.onEnd(this.#onMailboxEnd);
        this.#release = () => {
          releaseHold();
          forget();
        };
        this.#answer();
        return;
      }
      if (frame.$case !== 'batch') throw frameError('open is allowed only in the first frame');
      const { messages } = frame.value;
      if (messages.length > this.bounds.maxBatchMessages)
        throw batchTooLarge(messages.length, this.bounds.maxBatchMessages);
      this.bounds.spendMessages(messages.length);
      this.#batch = messages;
      this.#next = 0;
      this.#isResponseRequested = !this.#respondsOnRequest || frame.value.respond;
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#work();
  }

  /** The caller has half-closed the stream. All earlier messages are decided. */
  onHalfClose(): void {
    if (this.#ended) return;
    if (this.#mailbox === undefined) {
      this.#fail(new EdgeError('FIELD_REQUIRED', 'open is required as the first frame', { field: 'open' }));
      return;
    }
    if (this.#delayedResponse !== undefined) this.call.write(this.#takeAnswer());
    this.#finish();
    this.call.end();
  }

  /** The caller has disconnected. Messages that the mailbox has are sent. */
  cancel(): void {
    this.#finish();
  }

  /** Bound once, because it is the callback of every message. */
  readonly #onTaken = (error?: Error): void => {
    if (error === undefined) {
      this.#decided++;
      this.#accepted++;
      this.#passRefusals();
      this.#settle();
    } else {
      this.#fail(error);
    }
  };

  /** An idle sender must also learn of the end. Bound once. */
  readonly #onMailboxEnd = (error: Error): void => {
    if (!this.#ended) this.#stop(this.failures.of(error));
  };

  /** Passes messages to the mailbox until the batch is complete or the session must wait. */
  readonly #work = (): void => {
    const mailbox = this.#mailbox;
    if (mailbox === undefined || this.#ended || this.#stopWith !== undefined) return;
    this.#working = true;
    const start = this.#next;
    const { trace } = this.bounds;
    while (this.#next < this.#batch.length && this.#refusals.length < MAX_REFUSALS) {
      if (this.#next - start === SLICE) {
        this.input.spendTurn(SLICE / MESSAGES_PER_CALL);
        this.input.takeTurn(this.#work, SLICE / MESSAGES_PER_CALL);
        return;
      }
      try {
        const message = this.#batch[this.#next]!;
        const room =
          trace === undefined
            ? mailbox.send(outgoingMessage(message, this.bounds.headers), this.#onTaken)
            : this.#sendTraced(mailbox, trace(message, this.#batch.length));
        this.#next++;
        this.#seen++;
        if (!room) {
          this.input.spendTurn((this.#next - start) / MESSAGES_PER_CALL);
          mailbox.onSendRoom(this.#work);
          return;
        }
      } catch (error) {
        if (isQueueFull(error)) {
          // Other calls filled the queue. Retries in a later turn, because there may be less room than this message needs.
          mailbox.onSendRoom(() => setImmediate(this.#work));
          return;
        }
        if (!this.#refuse(error)) return;
      }
    }
    this.#working = false;
    this.input.spendTurn((this.#next - start) / MESSAGES_PER_CALL);
    this.#settle();
  };

  #sendTraced(mailbox: SendingMailbox, { outgoing, span }: TracedOutgoing): boolean {
    try {
      return mailbox.send(outgoing, (error) => {
        span.end(error);
        this.#onTaken(error);
      });
    } catch (error) {
      // A full queue delays the message. Its next attempt has another span.
      if (!isQueueFull(error)) span.end(error);
      throw error;
    }
  }

  /** False when the error is not that of the message but that of the stream, and the stream has ended. */
  #refuse(error: unknown): boolean {
    const failure = this.failures.of(error);
    if (failure.code !== status.INVALID_ARGUMENT) {
      this.#stop(failure);
      return false;
    }
    this.#next++;
    this.#seen++;
    this.#refusals.push({
      index: BigInt(this.#seen),
      statusCode: failure.code,
      statusMessage: failure.sentence,
      reason: failure.reason,
      domain: failure.domain,
      metadata: new Map(Object.entries(failure.metadata)),
    });
    this.#passRefusals();
    return true;
  }

  /** Rejected messages directly after the last decided message are decided too. */
  #passRefusals(): void {
    while (Number(this.#refusals[this.#passed]?.index) === this.#decided + 1) {
      this.#decided++;
      this.#passed++;
    }
  }

  /** Responds once all messages that were passed on are decided, and continues. */
  #settle(): void {
    if (this.#working || this.#ended || this.#decided < this.#seen) return;
    if (this.#stopWith === undefined) this.#answer();
    else this.#end(this.#stopWith);
  }

  #stop(failure: Failure): void {
    this.#stopWith ??= failure;
    this.#batch = [];
    this.#next = 0;
    this.#working = false;
    this.#settle();
  }

  #answer(): void {
    const more = this.#next < this.#batch.length;
    const proceed = more ? () => this.input.takeTurn(this.#work, SLICE / MESSAGES_PER_CALL) : this.#readOn;
    if (!more) this.#batch = [];
    if (!this.#isResponseRequested && this.#refusals.length === 0) {
      this.#delayedResponse ??= setTimeout(this.#respond, MAX_RESPONSE_DELAY_MS);
      proceed();
      return;
    }
    if (this.call.write(this.#takeAnswer())) proceed();
    else this.call.once('drain', proceed);
  }

  /** Allows the next frame when the client's rate permits it. Bound once. */
  readonly #readOn = (): void => {
    if (this.#ended) return;
    const waitMs = this.bounds.spendMessages(0);
    if (waitMs === 0) this.input.takeTurn(this.#allowRead, 1);
    else this.#pacing = setTimeout(this.#readOn, waitMs);
  };

  readonly #allowRead = (): void => {
    if (!this.#ended) this.input.allowRead();
  };

  /** Responds about the messages that are decided so far. Bound once. */
  readonly #respond = (): void => {
    // While the transport is full, the client reads the responses that it has.
    if (this.call.writableNeedDrain) this.#delayedResponse = setTimeout(this.#respond, MAX_RESPONSE_DELAY_MS);
    else this.call.write(this.#takeAnswer());
  };

  #takeAnswer(): MulticastStreamResponse {
    clearTimeout(this.#delayedResponse);
    this.#delayedResponse = undefined;
    const refusals = this.#refusals.slice(0, this.#passed);
    this.#refusals = [];
    this.#passed = 0;
    return { decided: BigInt(this.#decided), accepted: BigInt(this.#accepted), refusals };
  }

  #fail(error: unknown): void {
    if (!this.#ended) this.#end(this.failures.of(error));
  }

  #end(failure: Failure): void {
    this.#finish();
    // The decided part of an unfinished batch is still reported.
    if (this.#mailbox !== undefined) this.call.write(this.#takeAnswer());
    this.call.emit('error', statusError(failure));
  }

  #finish(): void {
    this.#ended = true;
    this.#batch = [];
    clearTimeout(this.#pacing);
    clearTimeout(this.#delayedResponse);
    this.#release?.();
  }
}

const isQueueFull = (error: unknown) => error instanceof MailboxError && error.reason === 'SEND_QUEUE_FULL';

function batchTooLarge(count: number, max: number): EdgeError {
  const bound = `0 to ${max} messages`;
  const message = `batch.messages has ${count} messages; it may have ${bound}; no message of this batch was sent`;
  return new EdgeError('LIMIT_OUT_OF_RANGE', message, {
    field: 'batch.messages',
    limit: 'limits.maxBatchMessages',
    bound,
  });
}

function frameError(why: string): EdgeError {
  return new EdgeError('FIELD_INVALID', `frame has a value that is not allowed: ${why}`, {
    field: 'frame',
    bound: 'open first, then batch',
  });
}
