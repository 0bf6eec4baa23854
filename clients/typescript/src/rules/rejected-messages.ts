import type { SpreadError } from '../spread-error.js';

/** S6: maximum number of retained errors. */
const MAX_KEPT_ERRORS = 100;

/** S6: the rejected messages of a sender without a callback, until the next `flush` or `close`. */
export class RejectedMessages {
  #errors: SpreadError[] = [];
  #count = 0;

  add(error: SpreadError): void {
    this.#count += 1;
    if (this.#errors.length < MAX_KEPT_ERRORS) this.#errors.push(error);
  }

  /** Throws the errors since the last call, if any. */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const message = `rejected messages: ${this.#count}; first error: ${this.#errors[0]?.message}`;
    const errors = this.#errors;
    this.#errors = [];
    this.#count = 0;
    throw new AggregateError(errors, message);
  }
}
