/** How the values of an option are read, written and described. */
export interface ValueType<T> {
  /** What a value must be, such as `a duration from 100ms to 2m`; completes the sentence "<option> must be …". */
  readonly expects: string;
  /** The value's name in `--flag <name>`, such as `duration`. */
  readonly placeholder: string;
  /** Reads a text. Throws {@link Refusal} when it is not what {@link expects} says. */
  parse(text: string): T;
  /** The canonical text of a value; parse(format(value)) is the value again. */
  format(value: T): string;
}

/** A list: comma separated in flags and environment, a sequence in a file. */
export interface ListType<T> extends ValueType<readonly T[]> {
  readonly item: ValueType<T>;
  /** Reads items that are already separated. */
  parseItems(texts: readonly string[]): readonly T[];
}

/** Why a text is not a value. `hint` says what is wrong with it, without repeating it (it may be a secret). */
export class Refusal extends Error {
  constructor(readonly hint = '') {
    super(hint);
    this.name = 'Refusal';
  }
}

export function isListType(type: ValueType<unknown>): type is ListType<unknown> {
  return 'parseItems' in type;
}

/** Quotes a value for a sentence, cut where it is long: a message must stay readable whatever was given. */
export function quote(text: string, limit = 80): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(shown);
}
