import { printable } from './event-text.js';

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** Numbers are aligned to the right. */
  readonly isNumber?: boolean;
  /** Fixed width, for rows that are printed one by one. */
  readonly width?: number;
  value(row: Row): string;
}

const GAP = '  ';
/** A column keeps this width on a narrow terminal, so that a cut cell still has some characters. */
const MIN_WIDTH = 4;
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]/u;

/**
 * The lines of a table: a header and one line per row, without control characters.
 *
 * @param columns - width of the terminal; `Infinity`: no limit
 * @param hasHeader - whether the first line has the titles
 */
export function tableLines<Row>(
  table: readonly Column<Row>[],
  rows: readonly Row[],
  columns: number,
  hasHeader = true,
): string[] {
  const cells = rows.map((row) => table.map((column) => printable(column.value(row))));
  const lines = hasHeader ? [table.map(({ title }) => title), ...cells] : cells;
  const natural = table.map(
    ({ width }, at) => width ?? Math.max(0, ...lines.map((line) => displayWidth(line[at]!))),
  );
  const widths = fitWidths(natural, columns);
  return lines.map((line) => {
    const padded = line.map((cell, at) => {
      const text = cut(cell, widths[at]!);
      const padding = ' '.repeat(Math.max(0, widths[at]! - displayWidth(text)));
      if (table[at]!.isNumber) return padding + text;
      return at === line.length - 1 ? text : text + padding;
    });
    return cut(padded.join(GAP), columns);
  });
}

/** Narrows the widest columns until the table fits. */
function fitWidths(natural: readonly number[], columns: number): number[] {
  const room = columns - GAP.length * (natural.length - 1);
  const widths = natural.map((width) => Math.min(width, Math.max(MIN_WIDTH, room)));
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= MIN_WIDTH) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}

/** The text within a width. The last character of a cut text is `…`. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Number of terminal cells. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
