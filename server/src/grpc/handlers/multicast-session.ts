import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type {
  MulticastMessage,
  MulticastRefusal,
  MulticastStreamRequest,
  MulticastStreamResponse,
} from 'spread-sidecar-proto';
import type { OutgoingMessage } from '../../mailbox/mailbox-types.js';
import { MailboxError } from '../../mailbox/sidecar-error.js';
import { outgoingMessage } from '../codec/convert.js';
import { EdgeError } from '../codec/edge-error.js';
import type { Failure, FailureTranslator } from '../codec/failure.js';
import { Malformed, Undecoded } from '../codec/malformed.js';
import { required } from '../codec/request-fields.js';
import { malformedError, statusError } from '../codec/status.js';

/** What a stream needs of its mailbox. */
export interface SendingMailbox {
  /** Keeps the mailbox alive until the returned function is called. */
  hold(): () => void;
  /** False: the caller should wait for onSendRoom. Throws what is rejected before a byte of it is sent. */
  send(message: OutgoingMessage, onTaken: (error?: Error) => void): boolean;
  onSendRoom(callback: () => void): void;
  /** Calls back once when nothing can be sent any more; what was sent before may still be decided. */
  onEnd(callback: (error: Error) => void): () => void;
}

/** What a stream may send. */
export interface SendingBounds {
  /** Most messages of a batch. */
  readonly maxBatchMessages: number;
  /**
   * Counts messages that are sent, in the rate of the client.
   *
   * @returns how long the next ones have to wait, in ms
   */
  spendMessages(count: number): number;
}

/** What a stream does with its call. */
export interface CallInput {
  /** Lets the next frame in. */
  allowRead(): void;
  /** Runs work now, or when other connections had their turn. @param expected - in small unary calls */
  takeTurn(work: () => void, expected: number): void;
  /** Counts work against the connection. @param cost - in small unary calls */
  spendTurn(cost: number): void;
}

/** A frame as it arrives. */
export type IncomingFrame = MulticastStreamRequest | Undecoded<MulticastStreamRequest> | Malformed;

type Call = ServerDuplexStream<MulticastStreamRequest | Malformed, MulticastStreamResponse>;

/** Refusals that one answer may hold: at some 300 bytes each, well below any client's bound for a message. */
const MAX_REFUSALS = 500;
/** Messages of a batch that are handed over in one turn of the event loop. Other connections come next. */
const SLICE = 512;
/** Messages that cost as much as one small unary call, and bytes of a frame to be decoded. */
const MESSAGES_PER_CALL = 32;
const BYTES_PER_CALL = 2048;

/**
 * One MulticastStream call. A frame is let in only when every message of the one before is decided and
 * answered, so that a stream that breaks leaves at most one batch in doubt and a sender that is faster than the
 * daemon is held back by HTTP/2's flow control.
 */
export class MulticastSession {
  #mailbox: SendingMailbox | undefined;
  #batch: readonly MulticastMessage[] = [];
  /** Index in the batch of the next message to be handed over. */
  #next = 0;
  /** Messages of earlier frames and of this one before #next. */
  #seen = 0;
  #decided = 0;
  #accepted = 0;
  /** Rejected and not yet answered, in order. */
  #refusals: MulticastRefusal[] = [];
  /** How many of them are decided: every message before them is. */
  #passed = 0;
  #working = false;
  /** How the stream ends as soon as what was handed over is decided. Nothing more is handed over. */
  #stopWith: Failure | undefined;
  #ended = false;
  #release: (() => void) | undefined;
  /** Runs while the client is faster than its rate. */
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

  /** The next frame. Comes only after allowRead(). */
  onFrame(request: IncomingFrame): void {
    if (request instanceof Undecoded)
      this.input.takeTurn(() => {
        if (!this.#ended) this.#onFrame(request.decode());
      }, request.bytes.length / BYTES_PER_CALL);
    else this.#onFrame(request);
  }

  #onFrame(request: MulticastStreamRequest | Malformed): void {
    if (this.#ended) return;
    try {
      if (request instanceof Malformed) throw malformedError(request);
      const frame = required(request.frame, 'frame');
      if (this.#mailbox === undefined) {
        if (frame.$case !== 'open') throw frameError('the first frame must have the field open');
        this.#mailbox = this.open(required(frame.value.mailboxId, 'open.mailbox_id'));
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
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#work();
  }

  /** The caller sends no more; everything before is decided. */
  onHalfClose(): void {
    if (this.#ended) return;
    if (this.#mailbox === undefined) {
      this.#fail(new EdgeError('FIELD_REQUIRED', 'open is required as the first frame', { field: 'open' }));
      return;
    }
    this.#finish();
    this.call.end();
  }

  /** The caller has gone. What was handed to the mailbox is sent. */
  cancel(): void {
    this.#finish();
  }

  /** Bound once, as it is the callback of every message. */
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

  /** Also a sender that has nothing to send is to know. Bound once. */
  readonly #onMailboxEnd = (error: Error): void => {
    if (!this.#ended) this.#stop(this.failures.of(error));
  };

  /** Hands messages to the mailbox until the batch is through or something has to be waited for. */
  readonly #work = (): void => {
    const mailbox = this.#mailbox;
    if (mailbox === undefined || this.#ended || this.#stopWith !== undefined) return;
    this.#working = true;
    const start = this.#next;
    while (this.#next < this.#batch.length && this.#refusals.length < MAX_REFUSALS) {
      if (this.#next - start === SLICE) {
        this.input.spendTurn(SLICE / MESSAGES_PER_CALL);
        this.input.takeTurn(this.#work, SLICE / MESSAGES_PER_CALL);
        return;
      }
      try {
        const room = mailbox.send(outgoingMessage(this.#batch[this.#next]!), this.#onTaken);
        this.#next++;
        this.#seen++;
        if (!room) {
          this.input.spendTurn((this.#next - start) / MESSAGES_PER_CALL);
          mailbox.onSendRoom(this.#work);
          return;
        }
      } catch (error) {
        if (error instanceof MailboxError && error.reason === 'SEND_QUEUE_FULL') {
          // Other calls filled the queue. Not in this turn again: there may be room for less than this message.
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

  /** False when the error is not the message's but the stream's, and the stream is over. */
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
      metadata: { ...failure.metadata },
    });
    this.#passRefusals();
    return true;
  }

  /** What is rejected right behind the last decided message is decided too. */
  #passRefusals(): void {
    while (Number(this.#refusals[this.#passed]?.index) === this.#decided + 1) {
      this.#decided++;
      this.#passed++;
    }
  }

  /** Answers once everything that was looked at is decided, and continues. */
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
    if (this.call.write(this.#takeAnswer())) proceed();
    else this.call.once('drain', proceed);
  }

  /** Lets the next frame in, once the client's rate allows it. Bound once. */
  readonly #readOn = (): void => {
    if (this.#ended) return;
    const waitMs = this.bounds.spendMessages(0);
    if (waitMs === 0) this.input.takeTurn(this.#allowRead, 1);
    else this.#pacing = setTimeout(this.#readOn, waitMs);
  };

  readonly #allowRead = (): void => {
    if (!this.#ended) this.input.allowRead();
  };

  #takeAnswer(): MulticastStreamResponse {
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
    // What is decided of a batch that will not be finished is still worth knowing.
    if (this.#mailbox !== undefined) this.call.write(this.#takeAnswer());
    this.call.emit('error', statusError(failure));
  }

  #finish(): void {
    this.#ended = true;
    this.#batch = [];
    clearTimeout(this.#pacing);
    this.#release?.();
  }
}

function batchTooLarge(count: number, max: number): EdgeError {
  const bound = `0 to ${max} messages`;
  const message = `batch.messages has ${count} messages; it may have ${bound}. none of them was sent`;
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
