import { abortError, type CallLimits, checkTimeout, timeoutError } from './call.js';
import { EventBuffer } from './event-buffer.js';
import type { SpreadEvent } from './messages.js';
import { disconnectedError, type SpreadError } from './spread-error.js';

interface Waiter {
  give(event: SpreadEvent): void;
  fail(error: SpreadError): void;
}

/** Limits of the events that wait for the application in this client. */
export interface InboxLimits {
  maxEvents: number;
  maxBytes: number;
}

/**
 * The received events that the application did not take yet, and the calls that wait for an event. After the
 * end, the remaining events are still available. Each later call gets the error that ended the mailbox.
 */
export class Inbox {
  readonly #buffer: EventBuffer;
  readonly #waiters = new Set<Waiter>();
  #end: { error: SpreadError | undefined } | undefined;

  /** Called when there is space again after `full` was true. */
  onRoom: () => void = () => {};

  constructor(limits: InboxLimits) {
    this.#buffer = new EventBuffer(limits.maxEvents, limits.maxBytes);
  }

  /** Number of events that are available without waiting. */
  get size(): number {
    return this.#buffer.size;
  }

  /** Whether the receiver should pause. */
  get full(): boolean {
    return this.#buffer.full;
  }

  /** Whether no further event will arrive. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /**
   * The error that ended the inbox. Undefined before the end, and after an end that the application
   * requested.
   */
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

  /**
   * Ends the inbox, with an error or, at the application's request, without one. Later calls have no effect.
   */
  end(error: SpreadError | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    for (const waiter of this.#waiters) waiter.fail(this.#endError());
    this.#waiters.clear();
  }

  /** The next event, or undefined if none is available now. */
  shift(): SpreadEvent | undefined {
    const event = this.#buffer.shift();
    if (event && this.#buffer.hasRoom) this.onRoom();
    return event;
  }

  /** Waits for the next event. Concurrent calls get events in the order of the calls. */
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
