import { abortError, type CallLimits, checkTimeout, timeoutError } from './call.js';
import { EventBuffer } from './event-buffer.js';
import type { SpreadEvent } from './messages.js';
import { disconnectedError, type SpreadError } from './spread-error.js';

interface Waiter {
  give(event: SpreadEvent): void;
  fail(error: SpreadError): void;
}

/** Bounds of what waits on this side for the application. */
export interface InboxLimits {
  maxEvents: number;
  maxBytes: number;
}

/**
 * What was received and not yet taken by the application, and the applications that wait for more. After its
 * end it still gives what is in it, and then the end to everybody who asks.
 */
export class Inbox {
  readonly #buffer: EventBuffer;
  readonly #waiters = new Set<Waiter>();
  #end: { error: SpreadError | undefined } | undefined;

  /** Called when there is room again after `full` was true. */
  onRoom: () => void = () => {};

  constructor(limits: InboxLimits) {
    this.#buffer = new EventBuffer(limits.maxEvents, limits.maxBytes);
  }

  /** Events that can be taken without waiting. */
  get size(): number {
    return this.#buffer.size;
  }

  /** Whether whoever fills it is to pause. */
  get full(): boolean {
    return this.#buffer.full;
  }

  /** Whether nothing will come any more. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** The error that it ended with; undefined if it has not ended or ended as asked. */
  get error(): SpreadError | undefined {
    return this.#end?.error;
  }

  push(event: SpreadEvent): void {
    if (this.#end) return;
    if (this.#waiters.size === 0) {
      this.#buffer.push(event);
      return;
    }
    const [waiter] = this.#waiters;
    waiter?.give(event);
  }

  /** Ends it: with an error, or without one when the application asked for the end. The first end counts. */
  end(error: SpreadError | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    for (const waiter of this.#waiters) waiter.fail(this.#endError());
    this.#waiters.clear();
  }

  /** The next event if there is one now. */
  shift(): SpreadEvent | undefined {
    const event = this.#buffer.shift();
    if (event && this.#buffer.roomy) this.onRoom();
    return event;
  }

  /** The next event. Several who wait are served in the order in which they came. */
  async take(limits: CallLimits): Promise<SpreadEvent> {
    const { signal, timeoutMs } = limits;
    checkTimeout(timeoutMs);
    if (signal?.aborted) throw abortError(signal, 'aborted before the call was made');
    const event = this.shift();
    if (event) return event;
    if (this.#end) throw this.#endError();
    return this.#wait(signal, timeoutMs);
  }

  #wait(signal: AbortSignal | undefined, timeoutMs: number | undefined): Promise<SpreadEvent> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        give: (event) => {
          leave();
          resolve(event);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = () =>
        waiter.fail(abortError(signal as AbortSignal, 'aborted while waiting for an event'));
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => waiter.fail(timeoutError(`no event within ${timeoutMs} ms`)), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #endError(): SpreadError {
    return this.#end?.error ?? disconnectedError();
  }
}
