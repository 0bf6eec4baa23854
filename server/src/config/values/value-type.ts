/** How the values of an option are parsed, formatted and described. */
export interface ValueType<T> {
  /** The expected value, such as `a duration from 100ms to 2m`. Completes the sentence "<option> must be …". */
  readonly expects: string;
  /** The value's name in `--flag <name>`, such as `duration`. */
  readonly placeholder: string;
  /** Words that are values, for completion in a shell. Other values can exist. */
  readonly words?: readonly string[];
  /** Parses a text. Throws {@link Refusal} when the text does not match {@link expects}. */
  parse(text: string): T;
  /** The canonical text of a value. parse(format(value)) equals the value. */
  format(value: T): string;
}

/** A list: comma-separated in flags and environment, a sequence in a file. */
export interface ListType<T> extends ValueType<readonly T[]> {
  readonly item: ValueType<T>;
  /** Parses items that are already separate. */
  parseItems(texts: readonly string[]): readonly T[];
}

/**
 * The reason why a text is not valid. `hint` describes the mistake without repeating the text, which may be a
 * secret.
 */
export class Refusal extends Error {
  constructor(readonly hint = '') {
    super(hint);
    this.name = 'Refusal';
  }
}

export function isListType(type: ValueType<unknown>): type is ListType<unknown> {
  return 'parseItems' in type;
}

/** Quotes a value for a message. Truncates a long value, so that the message stays readable. */
export function quote(text: string, limit = 80): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(shown);
}
