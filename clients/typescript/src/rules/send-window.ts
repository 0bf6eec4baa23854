import { status } from '@grpc/grpc-js';
import type { MulticastBatch, MulticastMessage } from 'spread-sidecar-proto';
import { encodedHeadersSize } from '../batch-encoder.js';
import { invalidResponse, type SendOutcome, SpreadError } from '../spread-error.js';
import { meansNotSent } from './failures.js';

/** S3: maximum number of messages in a frame. */
const MAX_FRAME_MESSAGES = 1024;
/** S4: a response is requested after this part of a limit. The sender then does not wait at the limit. */
const REQUEST_PART = 1 / 4;

/** S1: the size of a message. Unit: bytes. */
function sizeOf({ payload, groups, headers }: MulticastMessage): number {
  return payload.length + 32 * groups.length + 16 + encodedHeadersSize(headers);
}

/** Limits of a {@link SendWindow}. */
export interface SendLimits {
  maxInFlightMessages: number;
  maxInFlightBytes: number;
  maxBatchBytes: number;
}

/** The messages of a sender from `send` until they are decided. */
export class SendWindow {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #maxBatchBytes: number;
  /** The messages that are not decided, oldest first, starting at #head. From #next on, they are not written. */
  #messages: (MulticastMessage | undefined)[] = [];
  /** The size of each message. */
  #sizes: number[] = [];
  #head = 0;
  #next = 0;
  #bytes = 0;
  #unwrittenBytes = 0;
  #decided = 0;
  #accepted = 0;
  #written = 0;
  /** The messages 1 to this number have a response, or a requested one. */
  #requested = 0;
  /** Size of the messages since the last requested response. */
  #unrequestedBytes = 0;
  #closing = false;

  constructor(limits: SendLimits) {
    this.#maxMessages = Math.max(1, limits.maxInFlightMessages);
    this.#maxBytes = limits.maxInFlightBytes;
    this.#maxBatchBytes = limits.maxBatchBytes;
  }

  /** Number of messages passed to {@link add}. */
  get sent(): number {
    return this.#written + this.#unwritten;
  }

  /** Number of messages in written frames. */
  get written(): number {
    return this.#written;
  }

  /** Number of messages that were passed to the daemon or rejected. */
  get decided(): number {
    return this.#decided;
  }

  /** Number of messages that were passed to the daemon. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Whether all messages are decided. */
  get isSettled(): boolean {
    return this.#head === this.#messages.length;
  }

  /** S2: whether the next `send` waits. */
  get isFull(): boolean {
    const count = this.#messages.length - this.#head;
    return count >= this.#maxMessages || (this.#bytes >= this.#maxBytes && count > 0);
  }

  /** Whether the application has closed the sender. */
  get closing(): boolean {
    return this.#closing;
  }

  /** The messages that are not decided, oldest first. */
  get undecided(): MulticastMessage[] {
    return this.#messages.slice(this.#head) as MulticastMessage[];
  }

  /** Adds a message. */
  add(message: MulticastMessage): void {
    const size = sizeOf(message);
    this.#messages.push(message);
    this.#sizes.push(size);
    this.#bytes += size;
    this.#unwrittenBytes += size;
  }

  /** S3: whether the messages fill a frame, which the client then writes without a further delay. */
  get isFrameFull(): boolean {
    return this.#unwrittenBytes >= this.#maxBatchBytes || this.#unwritten >= MAX_FRAME_MESSAGES;
  }

  /**
   * S3, S4: the next frame, or undefined if there is nothing to write.
   *
   * @param isFlush - whether the application waits until the messages are decided
   */
  nextFrame(isFlush: boolean): MulticastBatch | undefined {
    const isRequestMissing = isFlush && this.#requested < this.sent && !this.isSettled;
    if (this.#unwritten === 0 && !isRequestMissing) return undefined;
    const from = this.#next;
    let size = 0;
    while (this.#unwritten > 0) {
      size += this.#sizes[this.#next] as number;
      this.#next += 1;
      if (size >= this.#maxBatchBytes || this.#next - from >= MAX_FRAME_MESSAGES) break;
    }
    const messages = this.#messages.slice(from, this.#next) as MulticastMessage[];
    this.#written += messages.length;
    this.#unwrittenBytes -= size;
    this.#unrequestedBytes += size;
    const respond = (isRequestMissing && this.#unwritten === 0) || this.#isRequestDue;
    if (respond) {
      this.#requested = this.#written;
      this.#unrequestedBytes = 0;
    }
    return { messages, respond };
  }

  /** A response. S9: returns the error with which the sender fails, if any. */
  response(decided: number, accepted: number): SpreadError | undefined {
    if (decided > this.#written || decided < this.#decided) return this.#invalidResponse(decided);
    while (this.#decided < decided) {
      this.#bytes -= this.#sizes[this.#head] as number;
      this.#messages[this.#head] = undefined;
      this.#head += 1;
      this.#decided += 1;
    }
    this.#accepted = accepted;
    // Moves the rest to the front. The cost per message is constant, because at least as many were decided.
    if (this.#head * 2 >= this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#sizes = this.#sizes.slice(this.#head);
      this.#next -= this.#head;
      this.#head = 0;
    }
    return undefined;
  }

  /** The application closes the sender. */
  close(): void {
    this.#closing = true;
  }

  /** S7: the outcome after the stream ended with this error. */
  outcomeAfter(error: SpreadError): SendOutcome {
    const isKnown = this.isSettled || error.metadata.outcome === 'not-sent' || meansNotSent(error);
    return isKnown ? 'not-sent' : 'unknown';
  }

  /** S8: the error with which the sender fails after the stream ended without an error, if any. */
  errorAtEnd(): SpreadError | undefined {
    if (this.#closing && this.isSettled) return undefined;
    return new SpreadError('the sidecar ended the stream before it accepted or rejected all messages', {
      status: status.UNAVAILABLE,
      outcome: 'unknown',
    });
  }

  get #unwritten(): number {
    return this.#messages.length - this.#next;
  }

  get #isRequestDue(): boolean {
    const count = this.#written - this.#requested;
    return (
      count >= this.#maxMessages * REQUEST_PART || this.#unrequestedBytes >= this.#maxBytes * REQUEST_PART
    );
  }

  #invalidResponse(decided: number): SpreadError {
    const problem =
      decided > this.#written
        ? `decides ${decided} messages, but the client has written only ${this.#written}`
        : `decides ${decided} messages, but an earlier response decides ${this.#decided}`;
    return invalidResponse('MulticastStream', problem, 'unknown');
  }
}
