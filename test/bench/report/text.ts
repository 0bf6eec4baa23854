import type { Results } from '../results.js';
import { markdownTable, textTable } from './numbers.js';
import { barsTable, headerLines, nodesTable, scenarioTable } from './tables.js';

function notes(results: Results): readonly string[] {
  return [
    ...(results.quick ? ['A quick run only shows that everything runs. Its figures are not valid.'] : []),
    ...results.skipped.map(({ subject, why }) => `skipped: ${subject}: ${why}`),
    ...results.failures.map(({ where, why }) => `FAILED: ${where}: ${why}`),
  ];
}

/** The report for a terminal. */
export function textReport(results: Results, what: { readonly bars: boolean }): string {
  const parts = [headerLines(results).join('\n')];
  for (const scenario of results.scenarios)
    parts.push(`${scenario.id}: ${scenario.text}\n${textTable(scenarioTable(results, scenario))}`);
  const nodes = nodesTable(results);
  if (nodes.length > 0) parts.push(`releases of Node, and ratios to the first\n${textTable(nodes)}`);
  if (what.bars) parts.push(`bars\n${textTable(barsTable(results))}`);
  const footnotes = notes(results);
  if (footnotes.length > 0) parts.push(footnotes.join('\n'));
  return `${parts.join('\n\n')}\n`;
}

/** The generated part of docs/performance.md. */
export function markdownReport(results: Results, chart: string): string {
  const footnotes = notes(results);
  const nodes = nodesTable(results);
  return [
    ...headerLines(results).map((line) => `- ${line}`),
    ...footnotes.map((note) => `- ${note}`),
    '',
    `![Throughput and round trip of all subjects](${chart})`,
    '',
    '### Bars',
    '',
    markdownTable(barsTable(results)),
    ...(nodes.length > 0
      ? [
          '',
          '### Releases of Node',
          '',
          'The ratio compares each release with the first.',
          '',
          markdownTable(nodes),
        ]
      : []),
    ...results.scenarios.flatMap((scenario) => [
      '',
      `### ${scenario.id}`,
      '',
      scenario.text,
      '',
      markdownTable(scenarioTable(results, scenario)),
    ]),
    '',
  ].join('\n');
}
