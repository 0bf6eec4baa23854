import { readFileSync } from 'node:fs';

/** A row of a table of docs/spread-api.md. */
export interface ApiRow {
  /** The name in the first column. */
  readonly name: string;
  /** The heading above the table. */
  readonly section: string;
  /** Texts of the cells by the headings of their columns. */
  readonly cells: Readonly<Record<string, string>>;
}

/** The cells of a table line. A bar after a backslash is text. */
const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

/** The rows of all tables whose first column has the heading `Name`. */
export function parseRows(page: string): ApiRow[] {
  const rows: ApiRow[] = [];
  let section = '';
  let columns: string[] = [];
  for (const line of page.split('\n')) {
    if (line.startsWith('#')) section = line.replace(/^#+ /, '');
    if (!line.startsWith('|')) {
      columns = [];
      continue;
    }
    const texts = cellsOf(line);
    if (columns.length === 0) columns = texts;
    else if (columns[0] === 'Name' && !/^-+$/.test(texts[0] ?? '')) {
      if (texts.length !== columns.length) throw new Error(`not ${columns.length} cells: ${line}`);
      const cells = Object.fromEntries(columns.map((column, i) => [column, texts[i] as string]));
      rows.push({ name: names(texts[0] as string)[0] ?? '', section, cells });
    }
  }
  return rows;
}

/** The texts in backticks. */
export const names = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);

/** Rows of docs/spread-api.md. */
export const apiRows = (): ApiRow[] =>
  parseRows(readFileSync(new URL('../../../docs/spread-api.md', import.meta.url), 'utf8'));
