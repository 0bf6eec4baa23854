import { QueryMistake } from '../admin/json-pages.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const MAX_OFFSET = 10_000_000;
const MAX_FILTER = 256;

/** Which rows a request wants. */
export interface PageQuery {
  readonly offset: number;
  readonly limit: number;
  /** The name of an order. */
  readonly order: string;
  readonly isDescending: boolean;
  /** A row matches if a text of it contains this one. */
  readonly filter: string;
}

/** @throws QueryMistake */
export function pageQuery(query: URLSearchParams, orders: readonly string[]): PageQuery {
  checkNames(query, ['offset', 'limit', 'sort', 'filter']);
  const sort = query.get('sort') ?? orders[0]!;
  const order = sort.replace(/^-/, '');
  if (!orders.includes(order)) {
    const allowed = `${orders.join(', ')}; put - before the name for descending order`;
    throw new QueryMistake('sort', `sort is ${shown(sort)}; allowed are ${allowed}`);
  }
  const filter = query.get('filter') ?? '';
  if (filter.length > MAX_FILTER) {
    const message = `filter has ${filter.length} characters; allowed are 0 to ${MAX_FILTER}`;
    throw new QueryMistake('filter', message);
  }
  return {
    offset: wholeNumber(query, 'offset', { least: 0, most: MAX_OFFSET, otherwise: 0 }),
    limit: wholeNumber(query, 'limit', { least: 1, most: MAX_LIMIT, otherwise: DEFAULT_LIMIT }),
    order,
    isDescending: sort.startsWith('-'),
    filter,
  };
}

/** @throws QueryMistake when the query has another parameter, or one of these twice */
export function checkNames(query: URLSearchParams, names: readonly string[]): void {
  for (const name of query.keys()) {
    if (!names.includes(name)) {
      const allowed = names.length === 0 ? 'none is allowed' : `allowed are ${names.join(', ')}`;
      throw new QueryMistake(name.slice(0, MAX_FILTER), `unknown parameter ${shown(name)}; ${allowed}`);
    }
    if (query.getAll(name).length > 1) throw new QueryMistake(name, `${name} must be set at most once`);
  }
}

/** @throws QueryMistake */
export function wholeNumber(
  query: URLSearchParams,
  name: string,
  bounds: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  const text = query.get(name);
  if (text === null) return bounds.otherwise;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.least && value <= bounds.most) return value;
  const message = `${name} is ${shown(text)}; allowed are whole numbers from ${bounds.least} to ${bounds.most}`;
  throw new QueryMistake(name, message);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
