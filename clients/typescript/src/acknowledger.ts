import { Acknowledgement } from './rules/acknowledgement.js';
import type { SpreadError } from './spread-error.js';

/** Acknowledges events in the background. */
export class Acknowledger {
  readonly #send: (upTo: bigint) => Promise<unknown>;
  readonly #onFailed: (error: SpreadError) => void;
  readonly #rules: Acknowledgement;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param send - acknowledges all events up to a sequence
   * @param mayPass - whether a later call may succeed after this error
   * @param onFailed - called with the error of a call that the client does not repeat
   */
  constructor(
    send: (upTo: bigint) => Promise<unknown>,
    mayPass: (error: SpreadError) => boolean,
    onFailed: (error: SpreadError) => void,
  ) {
    this.#send = send;
    this.#onFailed = onFailed;
    this.#rules = new Acknowledgement(mayPass);
  }

  /** Acknowledges every event up to and including this one. */
  request(upTo: bigint): void {
    this.#call(this.#rules.request(upTo));
  }

  /** Makes no further calls. */
  close(): void {
    this.#rules.close();
    clearTimeout(this.#timer);
  }

  #call(upTo: bigint | undefined): void {
    if (upTo === undefined) return;
    this.#send(upTo).then(
      () => this.#call(this.#rules.succeeded()),
      (error: SpreadError) => this.#onError(error),
    );
  }

  #onError(error: SpreadError): void {
    const next = this.#rules.failed(error);
    if (next === 'fail') this.#onFailed(error);
    if (typeof next === 'number') this.#timer = setTimeout(() => this.#call(this.#rules.pauseEnded()), next);
  }
}
