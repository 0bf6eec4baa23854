import { createHash } from 'node:crypto';

/** Base 32 in small letters. Private names may contain all of them, and none looks like another. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const PREFIX_LENGTH = 7;
/** Numbers of up to two digits in base 36 leave room for a suffix within the 10 characters of a name. */
const NUMBERS = 36 ** 2;

/**
 * Private names for mailboxes that request none. They are derived from a unique property of this sidecar, such as
 * the UID of its pod, so that operators can find the sidecar of a name in a group. A name has 35 bits of the
 * property's SHA-256, then a number.
 */
export class SeededNames {
  /** The common prefix of all names. */
  readonly prefix: string;
  #next = 0;

  constructor(seed: string) {
    const hash = createHash('sha256').update(seed).digest();
    this.prefix = Array.from(hash.subarray(0, PREFIX_LENGTH), (byte) => LETTERS[byte % 32]).join('');
  }

  /** Another name each time. After 1296 names the first one again, which is free by then or gets a suffix. */
  next(): string {
    const name = this.prefix + this.#next.toString(36);
    this.#next = (this.#next + 1) % NUMBERS;
    return name;
  }
}
