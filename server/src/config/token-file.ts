import { Refusal } from './values/value-type.js';
import { token } from './values/words.js';

/** One line of a file of tokens. */
export interface TokenLine {
  /** The name of the token's owner, if the line has one. */
  readonly name: string | undefined;
  readonly value: string;
}

/** Largest number of tokens. Each call is compared with all of them. */
const MAX_TOKENS = 256;

/**
 * Parses a file of tokens with one `<token>` or `<name> <token>` per line. Empty lines and lines that begin with #
 * are skipped. Several lines can have the same name.
 *
 * @throws Error that names the line and its mistake, never its content
 */
export function readTokenFile(text: string): TokenLine[] {
  const tokens = text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    return trimmed === '' || trimmed.startsWith('#') ? [] : [readLine(trimmed, index + 1)];
  });
  if (tokens.length === 0) throw new Error('it contains no token');
  if (tokens.length > MAX_TOKENS) throw new Error(`it contains more than ${MAX_TOKENS} tokens`);
  const values = new Set(tokens.map(({ value }) => value));
  if (values.size < tokens.length) throw new Error('it contains a token twice');
  return tokens;
}

function readLine(line: string, number: number): TokenLine {
  const words = line.split(/\s+/);
  const value = words.pop()!;
  const [name] = words;
  if (words.length > 1) throw new Error(`line ${number} must have only a token, or a name and a token`);
  if (name !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(name))
    throw new Error(`line ${number}: a name must have 1 to 64 letters, digits, dots, dashes or underscores`);
  try {
    return { name, value: token.parse(value) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Error(`line ${number} must contain ${token.expects} (${error.hint})`);
  }
}
