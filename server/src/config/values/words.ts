import { type ListType, Refusal, type ValueType } from './value-type.js';

/** `true` or `false`. */
export const boolean: ValueType<boolean> = {
  expects: 'true or false',
  placeholder: 'true|false',
  words: ['true', 'false'],
  parse: (text) => {
    if (text !== 'true' && text !== 'false') throw new Refusal();
    return text === 'true';
  },
  format: String,
};

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueType<W> {
  return {
    expects: joined(words),
    placeholder: words.join('|'),
    words,
    parse: (text) => {
      const word = words.find((candidate) => candidate === text);
      if (word === undefined) throw new Refusal();
      return word;
    },
    format: (word) => word,
  };
}

/** One of a few special words, or a value of `type`. */
export function wordOr<const W extends string, T>(words: readonly W[], type: ValueType<T>): ValueType<W | T> {
  const isWord = (value: unknown): value is W => words.some((word) => word === value);
  return {
    expects: `${type.expects}, or ${joined(words)}`,
    placeholder: `${type.placeholder}|${words.join('|')}`,
    words: [...words, ...(type.words ?? [])],
    parse: (text) => (isWord(text) ? text : type.parse(text)),
    format: (value) => (isWord(value) ? value : type.format(value)),
  };
}

/** A text that matches `pattern`. */
export function text(spec: { expects: string; placeholder: string; pattern: RegExp }): ValueType<string> {
  return {
    expects: spec.expects,
    placeholder: spec.placeholder,
    parse: (value) => {
      if (!spec.pattern.test(value)) throw new Refusal(value === '' ? 'it is empty' : '');
      return value;
    },
    format: (value) => value,
  };
}

/** A value that can be empty, which means that it is not set. */
export function orEmpty(type: ValueType<string>): ValueType<string> {
  return {
    ...type,
    expects: `${type.expects}, or empty`,
    parse: (value) => (value === '' ? '' : type.parse(value)),
  };
}

/** A group of the system: its name, or its number. */
export const groupName: ValueType<string> = text({
  expects: 'the name or number of a group',
  placeholder: 'group',
  pattern: /^(\d{1,10}|[a-z_][a-z0-9_.-]{0,31}\$?)$/i,
});

/**
 * A credential: 16 to 512 visible ASCII characters without a comma, for an `authorization` header (RFC 6750 allows
 * no comma). Shorter credentials are too easy to guess.
 */
export const token: ValueType<string> = {
  expects: 'a token of 16 to 512 visible ASCII characters without a comma',
  placeholder: 'token',
  parse: (value) => {
    if (value.includes(' ')) throw new Refusal('it contains a space');
    if (/[^\x21-\x7e]/.test(value)) throw new Refusal('it contains a character that is not visible ASCII');
    if (value.includes(',')) throw new Refusal('it contains a comma');
    if (value.length < 16 || value.length > 512) throw new Refusal(`it has ${value.length} characters`);
    return value;
  },
  format: (value) => value,
};

/** An ordered list without repetitions. The items cannot contain a comma. */
export function listOf<T>(item: ValueType<T>, bounds: { min: number; max: number }): ListType<T> {
  const parseItems = (texts: readonly string[]): readonly T[] => {
    const seen = new Set<string>();
    const values = texts.map((part, index) => {
      try {
        const value = item.parse(part);
        const canonical = item.format(value);
        if (seen.has(canonical)) throw new Refusal('it occurs twice');
        seen.add(canonical);
        return value;
      } catch (error) {
        if (!(error instanceof Refusal) || texts.length === 1) throw error;
        throw new Refusal(`item ${index + 1}${error.hint ? `: ${error.hint}` : ' is not valid'}`);
      }
    });
    if (values.length < bounds.min) throw new Refusal('the list is empty');
    if (values.length > bounds.max) throw new Refusal(`the list has ${values.length} items`);
    return values;
  };
  return {
    item,
    expects: `a list of ${bounds.min} to ${bounds.max} values, each ${item.expects}`,
    placeholder: `${item.placeholder},…`,
    parse: (value) => parseItems(value.trim() === '' ? [] : value.split(',').map((part) => part.trim())),
    parseItems,
    format: (values) => values.map((value) => item.format(value)).join(','),
  };
}

function joined(words: readonly string[]): string {
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : words.join();
}
