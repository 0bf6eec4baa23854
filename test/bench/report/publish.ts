import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../results.js';
import { chart } from './chart.js';
import { markdownReport } from './text.js';

const PAGE = 'performance.md';
const CHART = 'performance.svg';
const BEGIN = '<!-- figures: written by `npm run bench -- --publish` -->';
const END = '<!-- end of figures -->';

/** A page with `text` between its markers for figures. @throws Error if the page has no markers */
export function withFigures(page: string, text: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no marks for figures: ${BEGIN} … ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text.trim()}\n\n${page.slice(end)}`;
}

/**
 * Writes the figures and the chart of a run into the documentation. @throws Error for a quick run, whose figures
 * are not valid
 */
export function publish(results: Results, docs: string): void {
  if (results.quick)
    throw new Error('a quick run has no valid figures and is not published; run without --quick');
  const path = join(docs, PAGE);
  writeFileSync(path, withFigures(readFileSync(path, 'utf8'), markdownReport(results, CHART)));
  writeFileSync(join(docs, CHART), chart(results));
}
