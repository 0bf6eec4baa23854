/** Words of a target's material. */
export const words = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));

/** The last piece as its own text: bytes that are no UTF-8 become what Node makes of them, as when a file is read. */
export const textOf = (input: readonly Buffer[]): string => Buffer.concat(input).toString('utf8');
