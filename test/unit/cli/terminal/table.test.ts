import { describe, expect, it } from 'vitest';
import { type Column, displayWidth, tableLines } from '../../../../server/src/cli/terminal/table.js';

interface Row {
  readonly name: string;
  readonly size: number;
  readonly note: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'SIZE', isNumber: true, value: ({ size }) => String(size) },
  { title: 'NOTE', value: ({ note }) => note },
];
const row = (name: string, size: number, note = '-'): Row => ({ name, size, note });

describe('a table', () => {
  it('aligns text to the left and numbers to the right', () => {
    expect(tableLines(COLUMNS, [row('a', 5), row('orders', 12_345, 'x')], 80)).toEqual([
      'NAME     SIZE  NOTE',
      'a           5  -',
      'orders  12345  x',
    ]);
  });

  it('has only the header without rows', () => {
    expect(tableLines(COLUMNS, [], 80)).toEqual(['NAME  SIZE  NOTE']);
  });

  it.each([1, 10, 20, 40, 80])('fits %i columns, and marks cut cells', (columns) => {
    const lines = tableLines(COLUMNS, [row('n'.repeat(60), 1, 'm'.repeat(300))], columns);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines[1]).toContain('…');
  });

  it('cuts the longest cells first', () => {
    const [, line] = tableLines(COLUMNS, [row('short', 1, 'm'.repeat(100))], 30);
    expect(line).toBe(`short     1  ${'m'.repeat(16)}…`);
  });

  it('does not cut without a limit', () => {
    const [, line] = tableLines(COLUMNS, [row('a', 1, 'm'.repeat(1000))], Number.POSITIVE_INFINITY);
    expect(line).toContain('m'.repeat(1000));
  });

  it('escapes control characters, and keeps one line per row', () => {
    const lines = tableLines(COLUMNS, [row('\x1b[2Ja\nb\u009b1m\u202e', 1, '\r\x07')], 80);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('\\x1b[2Ja\\x0ab\\x9b1m\\x202e');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is about these characters
    expect(lines.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  });

  it('aligns wide characters', () => {
    const [, first, second] = tableLines(COLUMNS, [row('日本', 1), row('abcd', 2)], 80);
    expect(displayWidth(first!)).toBe(displayWidth(second!));
    expect(displayWidth('日本e\u0301')).toBe(5);
  });
});
