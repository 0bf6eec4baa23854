/** The words of a target's material. */
export const words = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));

/** The last piece as text. Invalid UTF-8 is decoded as Node does when it reads a file. */
export const textOf = (input: readonly Buffer[]): string => Buffer.concat(input).toString('utf8');
