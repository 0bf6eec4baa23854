import { Backoff } from './backoff.js';
import type { SpreadError } from './spread-error.js';

/**
 * Acknowledges events in the background. At most one call is active. Requests during a call are combined into
 * the next call.
 */
export class Acknowledger {
  readonly #send: (upTo: bigint) => Promise<unknown>;
  readonly #mayPass: (error: SpreadError) => boolean;
  readonly #onRefused: (error: SpreadError) => void;
  readonly #backoff = new Backoff();
  #wanted = 0n;
  #done = 0n;
  #busy = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param send - acknowledges all events up to a sequence
   * @param mayPass - whether to retry after this error
   * @param onRefused - called with the error of a call that is not retried
   */
  constructor(
    send: (upTo: bigint) => Promise<unknown>,
    mayPass: (error: SpreadError) => boolean,
    onRefused: (error: SpreadError) => void,
  ) {
    this.#send = send;
    this.#mayPass = mayPass;
    this.#onRefused = onRefused;
  }

  /** Acknowledges every event up to and including this one. */
  request(upTo: bigint): void {
    if (upTo > this.#wanted) this.#wanted = upTo;
    if (!this.#busy) this.#next();
  }

  /** Makes no further calls. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #next(): void {
    if (this.#closed || this.#wanted <= this.#done) return;
    this.#busy = true;
    const upTo = this.#wanted;
    this.#send(upTo).then(
      () => {
        this.#done = upTo;
        this.#backoff.reset();
        this.#busy = false;
        this.#next();
      },
      (error: SpreadError) => this.#onError(error),
    );
  }

  #onError(error: SpreadError): void {
    if (this.#closed) return;
    if (!error.retryable && error.reason !== '' && !this.#mayPass(error)) {
      this.close();
      this.#onRefused(error);
      return;
    }
    this.#timer = setTimeout(() => {
      this.#busy = false;
      this.#next();
    }, this.#backoff.next());
  }
}
