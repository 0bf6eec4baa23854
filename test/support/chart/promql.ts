// Finds the names in a PromQL expression. It is not a parser: promtool checks the syntax.

/** One selector of series: `metric{label="value"}`. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

const TOKENS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|[=!]~|[!=<>]=|\S/g;
const NAME = /^[a-zA-Z_:][\w:]*$/;
const OPERATORS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'atan2']);
const LISTS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

const tokensOf = (expression: string): string[] => expression.replace(/#.*$/gm, '').match(TOKENS) ?? [];

/** All selectors, in order. */
export function selectorsOf(expression: string): Selector[] {
  const tokens = tokensOf(expression);
  const selectors: Selector[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const [token, next] = [tokens[at]!, tokens[at + 1] ?? ''];
    if (LISTS.has(token)) at = Math.max(at, tokens.indexOf(')', at));
    else if (NAME.test(token) && !OPERATORS.has(token.toLowerCase()) && !isCall(next)) {
      const matchers = next === '{' ? matchersAt(tokens, at + 2) : [];
      selectors.push({ metric: token, matchers });
      if (next === '{') at = tokens.indexOf('}', at);
    }
  }
  return selectors;
}

/** Labels that the expression groups or joins by. */
export function groupingLabelsOf(expression: string): string[] {
  const tokens = tokensOf(expression);
  return tokens.flatMap((token, at) =>
    LISTS.has(token) && tokens[at + 1] === '('
      ? tokens.slice(at + 2, tokens.indexOf(')', at)).filter((label) => label !== ',')
      : [],
  );
}

/** Such a name is a function or an aggregation. */
const isCall = (next: string): boolean => next === '(' || next === 'by' || next === 'without';

function matchersAt(tokens: readonly string[], from: number): Matcher[] {
  const inside = tokens.slice(from, tokens.indexOf('}', from)).filter((token) => token !== ',');
  const matchers: Matcher[] = [];
  for (let at = 0; at + 2 < inside.length; at += 3) {
    const [label, operator, value] = inside.slice(at, at + 3) as [string, Matcher['operator'], string];
    matchers.push({ label, operator, value: value.slice(1, -1) });
  }
  return matchers;
}
