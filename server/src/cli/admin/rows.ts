import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { printable } from '../terminal/event-text.js';
import { jsonLine } from '../terminal/json-line.js';
import { type Column, tableLines } from '../terminal/table.js';
import { type Fields, readPage } from './admin-client.js';
import { adminPort, type RowOptions } from './admin-options.js';

/** A page and its table. */
export interface RowsPage {
  readonly path: string;
  /** The field with the rows. */
  readonly list: string;
  readonly columns: readonly Column<Fields>[];
}

/** Prints one page as a table or as JSON. */
export async function printRows(
  context: CommandContext,
  { path, list, columns }: RowsPage,
  options: RowOptions,
): Promise<number> {
  const { stdout, stderr } = context;
  const { sort, filter, limit, offset } = options;
  const page = await readPage(await adminPort(context, options), path, list, { sort, filter, limit, offset });
  if (options.json) {
    await stdout.line(jsonLine(page));
    return ExitCode.ok;
  }
  const rows = page[list] as readonly Fields[];
  for (const line of tableLines(columns, rows, tableWidth(context))) await stdout.line(line);
  const { total, nextOffset } = page;
  if (typeof nextOffset === 'number')
    await stderr.line(
      `${rows.length} of ${printable(text(total))} rows; --offset ${nextOffset} shows the next rows, --limit sets the number of rows`,
    );
  if (page.complete === false) await stderr.line('the sidecar has more rows than it can report');
  return ExitCode.ok;
}

/** A pipe or a file gets complete cells. */
export const tableWidth = ({ stdout }: CommandContext): number =>
  stdout.isTerminal ? stdout.columns : Number.POSITIVE_INFINITY;

/** A field by its path, such as `queue.events`, as text; `-` if it is absent. */
export function field(row: Fields, path: string): string {
  let value: unknown = row;
  for (const name of path.split('.'))
    value = typeof value === 'object' && value !== null ? (value as Fields)[name] : undefined;
  return text(value);
}

function text(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(String).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A column with one field. */
export const column = (title: string, path: string, isNumber = false): Column<Fields> => ({
  title,
  isNumber,
  value: (row) => field(row, path),
});
