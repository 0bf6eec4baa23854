import { type Results, summaryOf } from '../results.js';
import { formatNumber } from './numbers.js';

const WIDTH = 760;
const LABEL_WIDTH = 210;
const VALUE_WIDTH = 110;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 22;
const TITLE_HEIGHT = 34;
const GAP = 18;

/** The scenarios of the chart. Many subjects have the figure of each. */
const PANELS = [
  ['throughput-100B', 'messages', 'messages a second, 100 bytes, one to one (more is better)'],
  ['throughput-10KB', 'messages', 'messages a second, 10,000 bytes, one to one (more is better)'],
  ['round-trip-rest', 'p50', 'round trip at rest, median in µs (less is better)'],
  ['fan-out-10', 'deliveries', 'deliveries a second, 1 to 10, 100 bytes (more is better)'],
] as const;

const COLOURS: readonly (readonly [prefix: string, colour: string])[] = [
  ['c-', '#7f8c8d'],
  ['session-', '#2980b9'],
  ['sidecar-', '#27ae60'],
  ['', '#d68910'],
];

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

interface Row {
  readonly subject: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Bars side by side with a whisker from the first to the third quartile. Panels without figures are omitted. */
export function chart(results: Results): string {
  let y = 8;
  const parts: string[] = [];
  for (const [scenario, figure, title] of PANELS) {
    const rows = rowsOf(results, scenario, figure);
    if (rows.length === 0) continue;
    parts.push(panel(rows, title, y));
    y += TITLE_HEIGHT + rows.length * ROW_HEIGHT + GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="12">`,
    '<title>Throughput and round trip of all subjects</title>',
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function rowsOf(results: Results, scenario: string, figure: string): readonly Row[] {
  const found = results.scenarios.find(({ id }) => id === scenario);
  return (found?.subjects ?? []).flatMap(({ id: subject }) => {
    const summary = summaryOf(results, { scenario, subject, figure });
    if (summary === undefined) return [];
    return [{ subject, median: summary.median, low: summary.lowerQuartile, high: summary.upperQuartile }];
  });
}

function panel(rows: readonly Row[], title: string, top: number): string {
  const most = Math.max(...rows.map(({ high, median }) => Math.max(high, median)));
  const scale = (value: number) => (value / most) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
  const at = (value: number) => (LABEL_WIDTH + scale(value)).toFixed(1);
  const lines = rows.map(({ subject, median, low, high }, index) => {
    const y = top + TITLE_HEIGHT + index * ROW_HEIGHT;
    const middle = y + BAR_HEIGHT / 2;
    const colour = COLOURS.find(([prefix]) => subject.startsWith(prefix))?.[1];
    return [
      `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escaped(subject)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${scale(median).toFixed(1)}" height="${BAR_HEIGHT}" fill="${colour}"/>`,
      `<line x1="${at(low)}" x2="${at(high)}" y1="${middle}" y2="${middle}" stroke="#2c3e50" stroke-width="2"/>`,
      `<text x="${(LABEL_WIDTH + scale(Math.max(high, median)) + 6).toFixed(1)}" y="${middle + 4}">${formatNumber(median)}</text>`,
    ].join('');
  });
  return [`<text x="8" y="${top + 18}" font-weight="bold">${escaped(title)}</text>`, ...lines].join('\n');
}
