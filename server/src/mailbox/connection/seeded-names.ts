import { createHash } from 'node:crypto';

/** Base 32 in small letters: all of them may be in a private name, and none is taken for another. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const PREFIX_LENGTH = 7;
/** Numbers of up to two digits in base 36 leave room for a suffix within the 10 characters of a name. */
const NUMBERS = 36 ** 2;

/**
 * Private names for mailboxes that ask for none, made of what is unique about this sidecar, such as the uid of its pod: who
 * sees the name in a group can tell whose it is. 35 bits of its SHA-256, then a number.
 */
export class SeededNames {
  /** What all of the names begin with. */
  readonly prefix: string;
  #next = 0;

  constructor(seed: string) {
    const hash = createHash('sha256').update(seed).digest();
    this.prefix = Array.from(hash.subarray(0, PREFIX_LENGTH), (byte) => LETTERS[byte % 32]).join('');
  }

  /** Another one each time; after 1296 of them again the first, which is free by then or gets a suffix. */
  next(): string {
    const name = this.prefix + this.#next.toString(36);
    this.#next = (this.#next + 1) % NUMBERS;
    return name;
  }
}
