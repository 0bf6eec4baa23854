import { SpreadCode, type SpreadCodeName, WireError } from './wire/index.js';

/** Optional details of a failure. */
export interface SpreadErrorDetails {
  /** The invalid field or option. */
  field?: string;
  /** The allowed range, e.g. `1..31 bytes`. */
  bound?: string;
  /** The underlying failure. */
  cause?: unknown;
}

/** A Spread error. The message is a complete description for the caller. */
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

/**
 * Converts a WireError to a SpreadError with the same code, field, bound and message. Any other error becomes
 * SP_BUG.
 */
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
