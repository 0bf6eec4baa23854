import { WrittenFields } from '../admin/json-pages.js';
import type { PageQuery } from './query.js';
import type { RecentRows } from './recent-rows.js';
import { Slices } from './slices.js';

/** A page ends before this size, at the first row that exceeds it. Unit: characters of JSON. */
const MAX_PAGE_CHARACTERS = 1024 * 1024;

/** How the rows of a page are found and written. */
export interface RowFormat<Row> {
  /** The name of the list in the page. */
  readonly list: string;
  /** The texts in which a filter searches. */
  texts(row: Row): readonly string[];
  fields(row: Row): object;
}

/** The rows that a request wants, and where the next page begins. */
export async function rowsPage<Row>(
  recent: RecentRows<Row>,
  query: PageQuery,
  format: RowFormat<Row>,
): Promise<WrittenFields> {
  const rows = await recent.get();
  const sorted = await rows.sortedBy(query.order);
  const slices = new Slices();
  const wanted: string[] = [];
  let matches = 0;
  let characters = 0;
  for (let at = 0; at < sorted.length; at++) {
    if (slices.isOver) await slices.next();
    const row = sorted[query.isDescending ? sorted.length - 1 - at : at]!;
    if (query.filter !== '' && !format.texts(row).some((text) => text.includes(query.filter))) continue;
    matches++;
    if (matches <= query.offset || wanted.length === query.limit || characters >= MAX_PAGE_CHARACTERS)
      continue;
    const fields = JSON.stringify(format.fields(row));
    characters += fields.length;
    wanted.push(fields);
  }
  const next = query.offset + wanted.length;
  const about = JSON.stringify({
    at: new Date(rows.atMs).toISOString(),
    total: matches,
    complete: rows.isComplete,
    offset: query.offset,
    nextOffset: next < matches ? next : null,
  });
  return new WrittenFields(`${about.slice(0, -1)},${JSON.stringify(format.list)}:[${wanted.join(',')}]}`);
}

/** Compares texts by their UTF-16 code units. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
