import { isIPv4, isIPv6 } from 'node:net';

/**
 * Tokens of a spread.conf. `word` is text without a special meaning: names, paths, settings. `reserved` are
 * Spread's one-word constants and settings, which can be names only when quoted.
 */
export type TokenKind =
  | '{'
  | '}'
  | '='
  | ';'
  | '!'
  | 'address'
  | 'addressAndPort'
  | 'number'
  | 'quoted'
  | 'word'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The text without quotes. For an address with a port, only the address without brackets. */
  readonly text: string;
  /** The characters of the token in the file. Empty at the end of the file. */
  readonly source: string;
  /** Port of `addressAndPort`, 0..65535. */
  readonly port: number;
  /** The line where the token starts, from 1. */
  readonly line: number;
}

/** The token for a message: its characters in quotes, or the end of the file. */
export const shown = ({ kind, source }: Token): string =>
  kind === 'end' ? 'the end of the file' : `'${source}'`;

/** A mistake in a spread.conf, and its line (from 1). */
export interface ConfMistake {
  readonly line: number;
  readonly message: string;
}

export class SpreadConfError extends Error {
  override readonly name = 'SpreadConfError';

  /** At least one, in the order of the lines. */
  constructor(readonly mistakes: readonly ConfMistake[]) {
    super(mistakes.map(({ line, message }) => `line ${line}: ${message}`).join('\n'));
  }
}

const blank = /(?:[ \t\r\n\v\f]|#[^\n]*)+/y;
const quotedString = /"[^"]*"|'[^']*'/y;
// Brackets end a word so that `[address%interface]:port` can be split (Spread 5.0.1 reads it the same way).
const plain = /[^ \t\r\n\v\f#{}[\]]+/y;
const bracketed = /\[([^\]\s]+)\]:(\d{1,5})(?=[\s#{}]|$)/y;

const match = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

const isAddress = (text: string): boolean => isIPv4(text) || isIPv6(text);

/**
 * Splits a spread.conf into tokens. The last one is `end`.
 * @throws SpreadConfError when a character cannot start a token, a quote is not closed or a port is above 65535.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  const push = (kind: TokenKind, source: string, tokenText = source, port = 0) =>
    tokens.push({ kind, text: tokenText, source, port, line });
  const pushAddress = (source: string, address: string, port: string) => {
    if (Number(port) > 65535)
      throw new SpreadConfError([
        { line, message: `the port of '${source}' is too large; at most 65535 is allowed` },
      ]);
    push('addressAndPort', source, address, Number(port));
  };

  while (at < text.length) {
    const skipped = match(blank, text, at);
    if (skipped) {
      line += lineBreaks(skipped[0]);
      at += skipped[0].length;
      continue;
    }
    const first = text[at]!;
    if (first === '{' || first === '}' || first === '!') {
      push(first, first);
      at += 1;
      continue;
    }
    const bracket = match(bracketed, text, at);
    if (bracket && isIPv6(bracket[1]!)) {
      pushAddress(bracket[0], bracket[1]!, bracket[2]!);
      at += bracket[0].length;
      continue;
    }
    const quoted = match(quotedString, text, at);
    const word = match(plain, text, at);
    if (quoted && quoted[0].length >= (word?.[0].length ?? 0)) {
      push('quoted', quoted[0], quoted[0].slice(1, -1));
      line += lineBreaks(quoted[0]);
      at += quoted[0].length;
      continue;
    }
    if (!word || first === '"' || first === "'") {
      const message =
        first === '"' || first === "'" ? `the quote ${first} is not closed` : `unexpected '${first}'`;
      throw new SpreadConfError([{ line, message }]);
    }
    const found = word[0];
    const withPort = /^(\d+\.\d+\.\d+\.\d+):(\d{1,5})$/.exec(found);
    if (found === '=' || found === ';') push(found, found);
    else if (withPort && isIPv4(withPort[1]!)) pushAddress(found, withPort[1]!, withPort[2]!);
    else if (isAddress(found)) push('address', found);
    else if (/^\d{1,9}$/.test(found)) push('number', found);
    else push('word', found);
    at += found.length;
  }
  push('end', '');
  return tokens;
}

const lineBreaks = (text: string): number => text.split('\n').length - 1;
