import type { OptionModel } from './command-model.js';

/** A word in single quotes, for shells with the syntax of sh. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The long and the short form of an option. */
export const flagsOf = ({ long, short }: OptionModel): string[] =>
  short === undefined ? [long] : [long, short];
