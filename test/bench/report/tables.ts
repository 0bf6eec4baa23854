import { type JudgedBar, judge } from '../bars.js';
import { type CheckedFigure, isWithin } from '../checks/check.js';
import { type Results, ratioOf, type ScenarioRounds, summaryOf } from '../results.js';
import { median } from '../statistics.js';
import { formatNumber } from './numbers.js';

type Rows = readonly (readonly string[])[];

/**
 * A scenario as a table: the median and spread of its first figure, the ratio to the first subject, the medians of
 * the other figures, and the load of each process.
 */
export function scenarioTable(results: Results, scenario: ScenarioRounds): Rows {
  const [head, ...others] = scenario.figures;
  if (head === undefined) return [];
  const measured = scenario.subjects.filter(({ id }) =>
    summaryOf(results, { scenario: scenario.id, subject: id, figure: head.name }),
  );
  const first = measured[0]?.id ?? '';
  const reference = (subject: string, figure: string) => ({ scenario: scenario.id, subject, figure });
  const shown = others.filter(({ name }) =>
    measured.some(({ id }) => summaryOf(results, reference(id, name)) !== undefined),
  );
  const busy = measured.some(({ rounds }) => rounds.some((round) => round?.load));
  return [
    [
      'subject',
      `${head.name} ${head.unit}`,
      '± MAD',
      `× ${first}`,
      ...shown.map(({ name, unit }) => `${name} ${unit}`),
      ...(busy ? ['busy, % of a core'] : []),
    ],
    ...measured.map(({ id, rounds }) => {
      const summary = summaryOf(results, reference(id, head.name));
      const ratio = ratioOf(results, reference(id, head.name), reference(first, head.name));
      return [
        id,
        formatNumber(summary?.median ?? Number.NaN),
        formatNumber(summary?.mad ?? Number.NaN),
        formatNumber(ratio?.median ?? Number.NaN),
        ...shown.map(({ name }) => {
          const value = summaryOf(results, reference(id, name));
          return value === undefined ? '' : formatNumber(value.median);
        }),
        ...(busy ? [busyText(rounds.flatMap((round) => (round?.load ? [round.load] : [])))] : []),
      ];
    }),
  ];
}

function busyText(loads: readonly Readonly<Record<string, number>>[]): string {
  return Object.keys(loads[0] ?? {})
    .map((name) => `${name} ${Math.round(median(loads.map((load) => load[name] ?? 0)) * 100)}`)
    .join(', ');
}

const bound = ({ better, unit }: JudgedBar, value: number) =>
  `${better === 'more' ? '≥' : '≤'} ${value.toLocaleString('en-US')} ${unit}`;

/** The bars, and whether this run meets each. */
export function barsTable(results: Results): Rows {
  return [
    ['figure', 'bar', 'beyond', 'measured', '± MAD', 'verdict'],
    ...judge(results).map((judged) => [
      judged.figure,
      bound(judged, judged.bar),
      bound(judged, judged.beyond),
      judged.measured ? `${formatNumber(judged.measured.median)} ${judged.unit}` : '–',
      judged.measured ? formatNumber(judged.measured.mad) : '–',
      judged.verdict,
    ]),
  ];
}

/** The figures of a check, their bounds, and whether each figure is within its bounds. */
export function checkTable(figures: readonly CheckedFigure[]): Rows {
  const quantity = (value: number, unit: string) =>
    `${Number.isInteger(value) ? value.toLocaleString('en-US') : formatNumber(value)} ${unit}`.trim();
  return [
    ['figure', 'bound', 'measured', 'verdict'],
    ...figures.map((figure) => {
      const { name, value, unit, atLeast, atMost } = figure;
      const bounds = [
        ...(atLeast === undefined ? [] : [`≥ ${quantity(atLeast, unit)}`]),
        ...(atMost === undefined ? [] : [`≤ ${quantity(atMost, unit)}`]),
      ];
      const verdict = bounds.length === 0 ? '' : isWithin(figure) ? 'met' : 'EXCEEDED';
      return [name, bounds.join(', '), quantity(value, unit), verdict];
    }),
  ];
}

/** The first figure of each subject that ran on several releases of Node, and its ratio to the first release. */
export function nodesTable(results: Results): Rows {
  const nodes = [...new Set(results.scenarios.flatMap(({ subjects }) => subjects.map(({ node }) => node)))];
  if (nodes.length < 2) return [];
  const rows = results.scenarios.flatMap((scenario) => {
    const [head] = scenario.figures;
    const bases = new Set(scenario.subjects.filter(({ id, base }) => id !== base).map(({ base }) => base));
    return [...bases].map((base) => {
      const of = (node: string) => {
        const id = scenario.subjects.find((one) => one.base === base && one.node === node)?.id ?? '';
        return { scenario: scenario.id, subject: id, figure: head?.name ?? '' };
      };
      const [first = ''] = nodes;
      return [
        `${scenario.id}/${base}, ${head?.unit}`,
        ...nodes.map((node) => {
          const value = formatNumber(summaryOf(results, of(node))?.median ?? Number.NaN);
          const ratio = ratioOf(results, of(node), of(first));
          return node === first ? value : `${value} (${formatNumber(ratio?.median ?? Number.NaN)} ×)`;
        }),
      ];
    });
  });
  return [['scenario and subject', ...nodes.map((node) => `Node ${node}`)], ...rows];
}

/** The machine, the time and the options of the run: one line each. */
export function headerLines(results: Results): readonly string[] {
  const { machine, rounds, seconds } = results;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}`,
    versions.join(', '),
    `${results.startedAt}: ${results.command}`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'}, each with all subjects in turn; medians; about ${seconds} s per measurement`,
  ];
}
