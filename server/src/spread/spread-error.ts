import { SpreadCode, type SpreadCodeName, WireError } from './wire/index.js';

/** What may be known about a failure besides its code. */
export interface SpreadErrorDetails {
  /** The field or option that is wrong. */
  field?: string;
  /** What would have been right, e.g. `1..31 bytes`. */
  bound?: string;
  /** The failure below this one. */
  cause?: unknown;
}

/** A failure in Spread's own terms. The message is a complete description for the caller. */
export class SpreadError extends Error {
  override readonly name = 'SpreadError';
  /** Spread's number for `code`, e.g. -6. */
  readonly number: number;
  readonly field: string | undefined;
  readonly bound: string | undefined;

  constructor(
    readonly code: SpreadCodeName,
    message: string,
    details: SpreadErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.number = SpreadCode[code];
    this.field = details.field;
    this.bound = details.bound;
  }
}

/** A WireError as SpreadError with the same code, field, bound and sentence; anything else becomes SP_BUG. */
export function toSpreadError(error: unknown): SpreadError {
  if (error instanceof SpreadError) return error;
  if (error instanceof WireError) {
    return new SpreadError(error.code, error.message, {
      field: error.field,
      bound: error.bound,
      cause: error,
    });
  }
  return new SpreadError('SP_BUG', 'an internal error ended the session', { cause: error });
}
