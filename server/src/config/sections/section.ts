import { byteSize, integer } from '../values/numbers.js';
import type { ValueType } from '../values/value-type.js';
import { text, wordOr } from '../values/words.js';

export interface Option<T> {
  readonly type: ValueType<T>;
  readonly default: string;
  /** The reason for the default. */
  readonly why: string;
  /** What it does: a sentence without the name, the bounds and the default, which are added. */
  readonly text: string;
  /** The flag without dashes where it is not made from the key; the environment variable follows it. */
  readonly flag?: string;
  /** Never shown, and without a flag: a command line can be read by every user of the machine. */
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

/** A bound that follows from memory.limit where it is not set. */
export const autoCount = (min: string, max: string) => wordOr(['auto'], integer({ min, max }));
export const autoSize = (min: string, max: string) => wordOr(['auto'], byteSize({ min, max }));

/** The path of a file. */
export const path = text({ expects: 'the path of a file', placeholder: 'path', pattern: /^[^\0]+$/ });
