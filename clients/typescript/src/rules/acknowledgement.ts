import type { SpreadError } from '../spread-error.js';
import { Backoff } from './backoff.js';
import { endsMailbox } from './failures.js';

/** What follows a failed acknowledgement: a further call, a silent end, or an end with the error. */
type AfterFailure = 'repeat' | 'stop' | 'fail';

/** @param mayPass - F2 */
export function afterFailure(error: SpreadError, mayPass: boolean): AfterFailure {
  if (endsMailbox(error)) return 'stop'; // A2: the stream reports the end, with the number of lost events.
  if (mayPass || error.retryable || error.reason === '') return 'repeat'; // A3
  return 'fail'; // A4
}

/** A1: decides which sequences the client acknowledges when. */
export class Acknowledgement {
  readonly #mayPass: (error: SpreadError) => boolean;
  readonly #backoff: Backoff;
  #wanted = 0n;
  #done = 0n;
  /** The sequence of the open call, or of the call that is repeated after a pause. */
  #sending: bigint | undefined;
  #closed = false;

  /** @param mayPass - whether the error may pass (F2) */
  constructor(mayPass: (error: SpreadError) => boolean, random?: () => number) {
    this.#mayPass = mayPass;
    this.#backoff = new Backoff(undefined, random);
  }

  /** Requests to acknowledge all events up to a sequence. Returns the sequence to send now, if any. */
  request(upTo: bigint): bigint | undefined {
    if (upTo > this.#wanted) this.#wanted = upTo;
    return this.#sending === undefined ? this.#next() : undefined;
  }

  /** The open call succeeded. Returns the sequence to send now, if any. */
  succeeded(): bigint | undefined {
    this.#done = this.#sending ?? this.#done;
    this.#sending = undefined;
    this.#backoff.reset(); // B2
    return this.#next();
  }

  /** The open call failed. Returns the pause in ms, or how acknowledging ends. */
  failed(error: SpreadError): number | Exclude<AfterFailure, 'repeat'> {
    if (this.#closed) return 'stop';
    const after = afterFailure(error, this.#mayPass(error));
    if (after === 'repeat') return this.#backoff.next();
    this.#closed = true;
    return after;
  }

  /** A3: the pause ended. Returns the sequence to send now, if any. */
  pauseEnded(): bigint | undefined {
    this.#sending = undefined;
    return this.#next();
  }

  /** Sends no further acknowledgements. */
  close(): void {
    this.#closed = true;
  }

  #next(): bigint | undefined {
    if (this.#closed || this.#wanted <= this.#done) return undefined;
    this.#sending = this.#wanted;
    return this.#sending;
  }
}
