import { byteSize, integer } from '../values/numbers.js';
import type { ValueType } from '../values/value-type.js';
import { text, wordOr } from '../values/words.js';

export interface Option<T> {
  readonly type: ValueType<T>;
  readonly default: string;
  /** The reason for the default. */
  readonly why: string;
  /** The effect of the option: a sentence without the name, the range and the default, which are added. */
  readonly text: string;
  /** The flag without dashes, if it is not derived from the key. The environment variable follows the flag. */
  readonly flag?: string;
  /** A secret is never shown and has no flag, because every user of the machine can read a command line. */
  readonly secret?: true;
}

export interface Section {
  readonly title: string;
  readonly text: string;
  readonly options: Readonly<Record<string, Option<unknown>>>;
}

/** A row of the table, with the type of its value. */
export const option = <T>(row: Option<T>): Option<T> => row;

/** A number, or `off`. */
export const offOr = (min: string, max: string) => wordOr(['off'], integer({ min, max }));

/** A limit that is derived from memory.limit if it is not set. */
export const autoCount = (min: string, max: string) => wordOr(['auto'], integer({ min, max }));
export const autoSize = (min: string, max: string) => wordOr(['auto'], byteSize({ min, max }));

/** The path of a file. */
export const path = text({ expects: 'the path of a file', placeholder: 'path', pattern: /^[^\0]+$/ });
