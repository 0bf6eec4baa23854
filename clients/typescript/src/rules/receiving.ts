import { status } from '@grpc/grpc-js';
import { SIDECAR_DOMAIN, SpreadError } from '../spread-error.js';
import { Backoff } from './backoff.js';
import { endsStreamOnly, SIDECAR_UNREACHABLE } from './failures.js';

/** R7, R8: a stream without any frame for this number of heartbeat intervals counts as broken. */
const SILENT_INTERVALS = 3;
/** R8: minimum time of an attempt to attach. Unit: ms. */
const SHORTEST_ATTEMPT_MS = 100;
/** R12: maximum number of consecutive attempts that get no further event of an ended mailbox. */
const MAX_EMPTY_ATTEMPTS = 3;
/** R12: maximum time without a response of the sidecar while the last events are fetched. Unit: ms. */
const FETCH_MS = 2000;
/** C5: after a disconnect, maximum time to wait for the last events of the stream. Unit: ms. */
export const FINISH_MS = 1000;

/** Options of {@link Receiving}. */
export interface ReceivingOptions {
  /** The sequence before the first wanted event. */
  afterSequence: bigint;
  /** R10: the give-up time. Unit: ms. */
  leaseMs: number;
  /** Interval of the sidecar's heartbeats. 0: no heartbeats. Unit: ms. */
  heartbeatIntervalMs: number;
  /** Metadata of SIDECAR_UNREACHABLE. */
  unreachableMetadata: Readonly<Record<string, string>>;
  /** Whether the error may pass (F2). */
  mayPass(error: SpreadError): boolean;
  /** Returns a number from 0 to 1. */
  random?: () => number;
}

/** What follows a stream that ended with an error: the end of receiving, or a further attempt after a pause. */
export type AfterStream =
  | { readonly end: SpreadError }
  | { readonly pauseMs: number /** R9 */; readonly isDetached: boolean };

/** The end of the mailbox, while its last events are fetched. */
interface MailboxEnd {
  readonly error: SpreadError;
  readonly last: bigint;
  fetchedTo: bigint;
  emptyAttempts: number;
}

/**
 * The state of receiving, over all its streams. At most one stream is open. Times are in ms of the monotonic
 * clock.
 */
export class Receiving {
  readonly #options: ReceivingOptions;
  readonly #backoff: Backoff;
  readonly #silentMs: number;
  #last: bigint;
  #attached = false;
  #hasFrame = false;
  #attachLimitMs = 0;
  #lastFrameAt = 0;
  /** The time since which the sidecar has not responded. */
  #brokenSince = 0;
  #mailboxEnd: MailboxEnd | undefined;

  constructor(options: ReceivingOptions) {
    this.#options = options;
    this.#backoff = new Backoff(undefined, options.random);
    const intervalMs = options.heartbeatIntervalMs;
    this.#silentMs = intervalMs > 0 ? SILENT_INTERVALS * intervalMs : Number.POSITIVE_INFINITY;
    this.#last = options.afterSequence;
  }

  /** The sequence of the last received event. */
  get lastSequence(): bigint {
    return this.#last;
  }

  /** Whether a stream is attached. */
  get attached(): boolean {
    return this.#attached;
  }

  /** Receiving starts. */
  start(now: number): void {
    this.#brokenSince = now; // R10
  }

  /** R1: the client opens a stream. Returns the sequence of the request. */
  open(now: number): bigint {
    this.#hasFrame = false;
    this.#lastFrameAt = now;
    // R8
    const restMs = this.#brokenSince + this.#giveUpMs - now;
    this.#attachLimitMs = Math.max(Math.min(this.#silentMs, restMs), SHORTEST_ATTEMPT_MS);
    return this.#last;
  }

  /** R6, R7: the stream has a frame of any kind. */
  frame(now: number): void {
    this.#hasFrame = true;
    this.#lastFrameAt = now;
  }

  /** R2: the frame `attached`. Returns the error that ends receiving, if any. */
  attach(nextSequence: bigint): SpreadError | undefined {
    if (nextSequence !== this.#last + 1n) return this.gapBefore(nextSequence);
    this.#attached = true;
    this.#backoff.reset(); // B2
    return undefined;
  }

  /** R3: an event. `missing`: the events before this event are missing. */
  event(sequence: bigint): 'next' | 'repeated' | 'missing' {
    if (sequence <= this.#last) return 'repeated';
    if (sequence !== this.#last + 1n) return 'missing';
    this.#last = sequence;
    return 'next';
  }

  /** R4: a heartbeat. Returns the error that ends receiving, if any. */
  heartbeat(lastSequence: bigint): SpreadError | undefined {
    return lastSequence > this.#last ? this.gapBefore(lastSequence) : undefined;
  }

  /** R5: the error that ends receiving if events before a sequence are missing. */
  gapBefore(sequence: bigint): SpreadError {
    const message = `event ${this.#last + 1n} is missing: the sidecar is already at sequence ${sequence}`;
    return new SpreadError(message, { status: status.DATA_LOSS });
  }

  /** R7: the stream continues after a pause. */
  resume(now: number): void {
    this.#lastFrameAt = now;
  }

  /** R7, R8: time until the stream counts as broken if no frame arrives. 0 or less: it is broken. Unit: ms. */
  silenceLeft(now: number): number {
    return this.#lastFrameAt + this.#limitMs - now;
  }

  /** R7, R8: the error of a stream that this client cancelled because it counts as broken. */
  silence(): SpreadError {
    const message = `the sidecar sent no frame for ${Math.round(this.#limitMs)} ms`;
    return new SpreadError(message, { status: status.UNAVAILABLE, retryable: true });
  }

  /** The stream ended with an error. */
  fails(error: SpreadError, now: number): AfterStream {
    const wasAttached = this.#attached;
    this.#attached = false;
    const isBroken = this.#options.mayPass(error);
    if (wasAttached || !isBroken) this.#brokenSince = now; // R10, R12
    const end = isBroken ? this.#endAfterBreak(error, now) : this.#endAfterResponse(error);
    return end ? { end } : { pauseMs: this.#backoff.next(), isDetached: isBroken && wasAttached };
  }

  /** R15: the stream ended without an error. */
  closes(): void {
    this.#attached = false;
  }

  /** R13: whether the client may attach again now. A further stream would overfill a full inbox. */
  mayAttach(isInboxFull: boolean): boolean {
    return !this.#mailboxEnd || !isInboxFull;
  }

  /** R10, R12: how long the sidecar may be unreachable. */
  get #giveUpMs(): number {
    return this.#mailboxEnd ? FETCH_MS : this.#options.leaseMs;
  }

  get #limitMs(): number {
    return this.#hasFrame ? this.#silentMs : this.#attachLimitMs;
  }

  /** R9, R10, R12: returns the error that ends receiving after a broken stream, if any. */
  #endAfterBreak(error: SpreadError, now: number): SpreadError | undefined {
    const end = this.#mailboxEnd;
    if (end && end.last <= this.#last) return end.error;
    if (now - this.#brokenSince < this.#giveUpMs) return undefined;
    if (end) return withMissing(end.error, this.#last);
    return error.status === status.UNAUTHENTICATED ? error : this.#unreachable(error);
  }

  /**
   * F3, R11, R12: returns the error that ends receiving after the sidecar ended a stream, if any. When a
   * stream ends with an error, grpc-js discards frames that it received but did not emit.
   */
  #endAfterResponse(error: SpreadError): SpreadError | undefined {
    if (endsStreamOnly(error)) return error;
    this.#mailboxEnd ??= { error, last: lastSequenceOf(error), fetchedTo: -1n, emptyAttempts: 0 };
    const end = this.#mailboxEnd;
    if (end.last <= this.#last) return end.error;
    end.emptyAttempts = end.fetchedTo === this.#last ? end.emptyAttempts + 1 : 0;
    end.fetchedTo = this.#last;
    const canStop = lastSequenceOf(error) <= this.#last || end.emptyAttempts >= MAX_EMPTY_ATTEMPTS;
    return canStop ? withMissing(end.error, this.#last) : undefined;
  }

  #unreachable(error: SpreadError): SpreadError {
    const { leaseMs, unreachableMetadata: metadata } = this.#options;
    const message = `the sidecar could not be reached for ${leaseMs} ms (the lease of the mailbox): ${error.message}`;
    // The cause is the error of the last attempt. It must not be the CANCELLED of a stream that this client
    // cancelled.
    return new SpreadError(message, {
      status: status.UNAVAILABLE,
      reason: SIDECAR_UNREACHABLE,
      domain: SIDECAR_DOMAIN,
      metadata,
      cause: error,
    });
  }
}

/** 0 if the error has no valid last sequence. */
function lastSequenceOf(error: SpreadError): bigint {
  const text = error.metadata.last_sequence ?? '';
  return /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
}

/** R12: the error with the lost events. */
function withMissing(error: SpreadError, received: bigint): SpreadError {
  const { status: code, reason, domain, retryable, retryDelayMs, cause } = error;
  const message = `${error.message}; events ${received + 1n} to ${error.metadata.last_sequence} are lost`;
  const metadata = { ...error.metadata, received_sequence: String(received) };
  return new SpreadError(message, { status: code, reason, domain, metadata, retryable, retryDelayMs, cause });
}
