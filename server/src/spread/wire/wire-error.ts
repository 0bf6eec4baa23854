import { SpreadCode, type SpreadCodeName } from './codes.js';

/**
 * What every check of the wire layer throws: bytes that break the protocol, or a request that must not become bytes.
 * The message is a whole sentence that names the field and, where there is one, the bound.
 */
export class WireError extends Error {
  override readonly name = 'WireError';
  /** Spread's number for `code`. */
  readonly number: number;

  constructor(
    /** Spread's code for this kind of mistake. */
    readonly code: SpreadCodeName,
    /** The field that is wrong, e.g. `groups[2]`, `payload`, `num_groups`. */
    readonly field: string,
    message: string,
    /** What would have been right, e.g. `1..31 bytes`. */
    readonly bound?: string,
  ) {
    super(message);
    this.number = SpreadCode[code];
  }
}
