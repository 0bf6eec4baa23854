import { LATE_MS } from '../../timing/pause-aware-timer.js';
import { EdgeError } from '../codec/edge-error.js';

/** Limits that are checked periodically. Times are milliseconds. */
export interface SweepBounds {
  /** Time limit for the arrival of a request. */
  readonly requestTimeoutMs: number;
  /** Time that a finished call can wait for a client that reads nothing. */
  readonly stallTimeoutMs: number;
  /** Bytes of unprocessed requests of all calls. */
  readonly maxBufferedBytes: number;
}

/** An open call, as the sweep sees it. */
export interface SweptCall {
  /** Identifies the connection. */
  readonly connection: unknown;
  /** Whether the request has not arrived completely. For a stream of requests, the first request counts. */
  readonly awaitsRequest: boolean;
  /** Unprocessed bytes of the request. */
  readonly bufferedBytes: number;
  /** Whether the call has its status and only waits until the client has read it. */
  readonly isResponseComplete: boolean;
  /** Unread bytes of the response. */
  readonly unsentBytes: number;
  /** Updates `unsentBytes`. */
  noteUnsent(): void;
  /** Ends the call with an error. */
  fail(error: EdgeError): void;
  /** Resets the call's stream. */
  abandon(): void;
}

/** Buffers are checked again when this part of their limit has arrived. */
const LOOK_AGAIN_SHARE = 1 / 16;
/** Interval between two sweeps. Unit: ms. */
const SWEEP_MS = 200;
/** Retry delay for a call that was ended because of its buffered bytes. Unit: ms. */
const RETRY_MS = 1000;

/** A call with a status whose stream is still open. */
interface Leaving {
  since: number;
  unsentBytes: number;
}

/**
 * While there are calls, periodically ends those that occupy shared resources: a request that never ends, a status
 * that the client never reads, responses that the client does not read. HTTP/2 itself limits none of these.
 */
export class CallSweep {
  /** With the time at which each call started, in that order. */
  readonly #open = new Map<SweptCall, number>();
  readonly #leaving = new Map<SweptCall, Leaving>();
  /** Bytes that arrived since the last check of the buffers. */
  #arrivedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #tickedAt = 0;
  /**
   * Time for which the process was paused while there were calls. Clients could not be served during that time, so
   * it does not count against them.
   */
  #pausedMs = 0;

  constructor(
    private readonly bounds: SweepBounds,
    private readonly onLimit: (limit: string) => void,
    private readonly monotonic: () => number = () => performance.now(),
  ) {}

  /** The current time without the pauses of the process. Unit: ms. */
  private now(): number {
    return this.monotonic() - this.#pausedMs;
  }

  /** A call has started. */
  opened(call: SweptCall): void {
    this.#open.set(call, this.now());
    if (this.#timer !== undefined) return;
    this.#tickedAt = this.monotonic();
    this.#timer = setInterval(() => this.#tick(), SWEEP_MS).unref();
  }

  /** The call has its status. Its stream stays open until closed(). */
  ended(call: SweptCall): void {
    if (this.#open.delete(call)) this.#startLeaving(call);
  }

  /** The call's stream is closed. */
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
    // The next check runs after the input of this turn was read.
    if (lateMs > LATE_MS) this.#pausedMs += lateMs;
    else this.sweep();
  }

  /** Bytes of a request arrived: checks the buffers again before they can grow by much. */
  arrived(bytes: number): void {
    this.#arrivedBytes += bytes;
    if (this.#arrivedBytes >= this.bounds.maxBufferedBytes * LOOK_AGAIN_SHARE) this.#freeBuffers();
  }

  /** Runs one sweep. */
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
        new EdgeError(
          'REQUEST_TIMEOUT',
          `the request did not arrive completely within ${requestTimeoutMs} ms`,
          {
            limit: 'limits.requestTimeout',
            bound: `${requestTimeoutMs} ms`,
            outcome: 'not-sent',
          },
        ),
      );
    }
  }

  /** Ends the largest usage first: the connection with the most bytes, and its calls. */
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
    `unprocessed requests of all clients have more than ${max} bytes, and this call has a large part of these bytes`,
    { limit: 'limits.maxBufferedRequestBytes', bound: `${max} bytes`, outcome: 'unknown' },
    { retryDelayMs: RETRY_MS },
  );
}
