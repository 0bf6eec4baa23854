import { SpreadCode, type SpreadCodeName } from './codes.js';

/**
 * The error of every check of the wire layer: bytes that violate the protocol, or an invalid request. The message
 * is a complete sentence that names the field and, if there is one, the limit.
 */
export class WireError extends Error {
  override readonly name = 'WireError';
  /** Spread's number for `code`. */
  readonly number: number;

  constructor(
    /** Spread's code for this kind of mistake. */
    readonly code: SpreadCodeName,
    /** The invalid field, e.g. `groups[2]`, `payload`, `num_groups`. */
    readonly field: string,
    message: string,
    /** The allowed range, e.g. `1..31 bytes`. */
    readonly bound?: string,
  ) {
    super(message);
    this.number = SpreadCode[code];
  }
}
