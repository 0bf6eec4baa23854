import { LATE_MS } from '../../timing/pause-aware-timer.js';
import { EdgeError } from '../codec/edge-error.js';

/** Bounds that are looked after now and then. Times are milliseconds. */
export interface SweepBounds {
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs: number;
  /** How long a call of which all was said may wait for a client that takes nothing of it. */
  readonly stallTimeoutMs: number;
  /** Bytes of unprocessed requests of all calls. */
  readonly maxBufferedBytes: number;
}

/** A call as it is looked at. */
export interface SweptCall {
  /** What its connection is known by. */
  readonly connection: unknown;
  /** Its request has not arrived in full; of a stream of requests, the first. */
  readonly awaitsRequest: boolean;
  /** Bytes of its request that are held. */
  readonly bufferedBytes: number;
  /** All was said: nothing is left but that its client takes it. */
  readonly isResponseComplete: boolean;
  /** Bytes of its answer that are held. */
  readonly unsentBytes: number;
  /** Looks again how much its client has not taken. */
  noteUnsent(): void;
  /** Ends it with an error. */
  fail(error: EdgeError): void;
  /** Drops what is left of it. */
  abandon(): void;
}

/** Buffers are looked at again when so much of their bound has arrived. */
const LOOK_AGAIN_SHARE = 1 / 16;
/** How often it is looked. Unit: ms. */
const SWEEP_MS = 200;
/** Retry delay for a call that was ended because of the bytes that it held. Unit: ms. */
const RETRY_MS = 1000;

/** A call of which all was said and whose stream is not over. */
interface Leaving {
  since: number;
  unsentBytes: number;
}

/**
 * Looks, while there are calls, whether one of them holds on to what others need: a request that never ends, an end that is never
 * taken, bytes that nobody can take. HTTP/2 gives a client all of that for nothing.
 */
export class CallSweep {
  /** With the time at which each began, in that order. */
  readonly #open = new Map<SweptCall, number>();
  readonly #leaving = new Map<SweptCall, Leaving>();
  /** Since the buffers were looked at. */
  #arrivedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #tickedAt = 0;
  /** How long the process was paused while there were calls: clients could not be served, and that is no fault of theirs. */
  #pausedMs = 0;

  constructor(
    private readonly bounds: SweepBounds,
    private readonly onLimit: (limit: string) => void,
    private readonly monotonic: () => number = () => performance.now(),
  ) {}

  /** Milliseconds, without those in which the process was paused. */
  private now(): number {
    return this.monotonic() - this.#pausedMs;
  }

  /** A call begins. */
  opened(call: SweptCall): void {
    this.#open.set(call, this.now());
    if (this.#timer !== undefined) return;
    this.#tickedAt = this.monotonic();
    this.#timer = setInterval(() => this.#tick(), SWEEP_MS).unref();
  }

  /** It is over; its stream stays open until closed(). */
  ended(call: SweptCall): void {
    if (this.#open.delete(call)) this.#startLeaving(call);
  }

  /** Nothing is left of it. */
  closed(call: SweptCall): void {
    this.#open.delete(call);
    this.#leaving.delete(call);
    if (this.#open.size + this.#leaving.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = this.monotonic();
    const lateMs = now - this.#tickedAt - SWEEP_MS;
    this.#tickedAt = now;
    // The next look is after what came meanwhile was read.
    if (lateMs > LATE_MS) this.#pausedMs += lateMs;
    else this.sweep();
  }

  /** Bytes of a request arrived: what is held is looked at again before it can grow by much. */
  arrived(bytes: number): void {
    this.#arrivedBytes += bytes;
    if (this.#arrivedBytes >= this.bounds.maxBufferedBytes * LOOK_AGAIN_SHARE) this.#freeBuffers();
  }

  /** Looks once. */
  sweep(): void {
    const now = this.now();
    this.#endSlowRequests(now);
    this.#freeBuffers();
    this.#dropStalled(now);
  }

  #endSlowRequests(now: number): void {
    const { requestTimeoutMs } = this.bounds;
    for (const [call, startedAt] of this.#open) {
      if (now - startedAt <= requestTimeoutMs) return;
      if (!call.awaitsRequest) continue;
      this.#fail(
        call,
        new EdgeError('REQUEST_TIMEOUT', `the request did not arrive in full within ${requestTimeoutMs} ms`, {
          limit: 'limits.requestTimeout',
          bound: `${requestTimeoutMs} ms`,
          outcome: 'not-sent',
        }),
      );
    }
  }

  /** Who holds most is ended first: the connection, and its calls. */
  #freeBuffers(): void {
    this.#arrivedBytes = 0;
    const { maxBufferedBytes } = this.bounds;
    let total = 0;
    for (const call of this.#open.keys()) total += call.bufferedBytes;
    if (total <= maxBufferedBytes) return;
    const byConnection = new Map<unknown, { bytes: number; calls: SweptCall[] }>();
    for (const call of this.#open.keys()) {
      const held = byConnection.get(call.connection) ?? { bytes: 0, calls: [] };
      held.bytes += call.bufferedBytes;
      if (call.bufferedBytes > 0) held.calls.push(call);
      byConnection.set(call.connection, held);
    }
    for (const held of byConnection.values()) held.calls.sort((a, b) => a.bufferedBytes - b.bufferedBytes);
    while (total > maxBufferedBytes) {
      const most = [...byConnection.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
      const largest = most.calls.pop();
      if (largest === undefined) return;
      most.bytes -= largest.bufferedBytes;
      total -= largest.bufferedBytes;
      this.#fail(largest, bufferFull(maxBufferedBytes));
    }
  }

  #startLeaving(call: SweptCall): void {
    if (this.#leaving.has(call)) return;
    this.#leaving.set(call, { since: this.now(), unsentBytes: call.unsentBytes });
  }

  #dropStalled(now: number): void {
    for (const call of this.#open.keys()) {
      call.noteUnsent();
      if (call.isResponseComplete) this.#startLeaving(call);
    }
    for (const [call, leaving] of this.#leaving) {
      call.noteUnsent();
      const { unsentBytes } = call;
      if (unsentBytes !== leaving.unsentBytes) {
        leaving.unsentBytes = unsentBytes;
        leaving.since = now;
      } else if (now - leaving.since > this.bounds.stallTimeoutMs) {
        this.#leaving.delete(call);
        this.onLimit('limits.stallTimeout');
        call.abandon();
      }
    }
  }

  #fail(call: SweptCall, error: EdgeError): void {
    this.onLimit(error.metadata.limit!);
    call.fail(error);
  }
}

function bufferFull(max: number): EdgeError {
  return new EdgeError(
    'REQUEST_BUFFER_FULL',
    `unprocessed requests hold more than ${max} bytes, and this call holds a large part of them`,
    { limit: 'limits.maxBufferedRequestBytes', bound: `${max} bytes`, outcome: 'unknown' },
    { retryDelayMs: RETRY_MS },
  );
}
