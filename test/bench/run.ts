import { spawnSync } from 'node:child_process';
import { within } from '../support/until.js';
import { describeMachine } from './machine.js';
import { type BenchOptions, selects } from './options.js';
import { formatNumber } from './report/numbers.js';
import type { Results } from './results.js';
import type { Measurement, Scenario } from './scenario.js';
import { Stage } from './stage.js';
import { type Subject, subject } from './subjects.js';

/** A measurement that takes longer counts as stalled. */
const PATIENCE_MS = 300_000;

interface Pair {
  readonly scenario: Scenario;
  readonly subject: Subject;
  /** The Node binary that runs our processes. */
  readonly node: NodeBinary;
  readonly rounds: (Measurement | undefined)[];
}

/**
 * Runs all requested measurements. Each round measures every subject of every scenario once, one after the other.
 */
export async function runBench(
  scenarios: readonly Scenario[],
  options: BenchOptions,
  filters: readonly string[],
  print: (line: string) => void,
): Promise<Results> {
  const startedAt = new Date().toISOString();
  const nodes = options.nodes.map(nodeBinary);
  const { pairs, skipped } = choose(scenarios, options.quick, filters, nodes);
  if (pairs.length === 0)
    throw new Error('nothing to measure; `npm run bench -- --list` names what there is');
  for (const { subject: id, why } of skipped) print(`skipped: ${id}: ${why}`);
  const failures: { where: string; why: string }[] = [];
  const effort = { seconds: options.seconds, quick: options.quick };
  const stages = new Map(
    nodes.map(({ path }) => [path, new Stage({ node: path, profiles: options.profile })]),
  );
  try {
    for (let round = 1; round <= options.rounds; round += 1)
      for (const pair of pairs) {
        const where = `${pair.scenario.id}/${resultId(pair)}`;
        const { path } = pair.node;
        try {
          // Roles and tools of a stalled measurement stay until the end of the run. A stall is a defect of the harness or
          // of a subject.
          const measured = await within(
            pair.scenario.run(pair.subject, stages.get(path) as Stage, effort),
            `the end of ${where}`,
            PATIENCE_MS,
          );
          pair.rounds.push(measured);
          print(`${round}/${options.rounds} ${where}: ${headline(pair.scenario, measured)}`);
        } catch (error) {
          const why = (error as Error).message;
          pair.rounds.push(undefined);
          failures.push({ where: `${where}, round ${round}`, why });
          print(`${round}/${options.rounds} ${where}: FAILED: ${why}`);
          // After any error, the next measurement starts with fresh servers.
          await stages.get(path)?.close();
          stages.set(path, new Stage({ node: path, profiles: options.profile }));
        }
      }
  } finally {
    for (const stage of stages.values()) await stage.close();
  }
  return {
    machine: describeMachine(nodes.map(({ version }) => version).join(', ')),
    startedAt,
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    rounds: options.rounds,
    seconds: options.seconds,
    quick: options.quick,
    scenarios: scenarios
      .map((scenario) => ({
        id: scenario.id,
        text: scenario.text,
        figures: scenario.figures,
        subjects: pairs
          .filter((pair) => pair.scenario === scenario)
          .map((pair) => ({
            id: resultId(pair),
            base: pair.subject.id,
            node: pair.node.version,
            text: pair.subject.text,
            rounds: pair.rounds,
          })),
      }))
      .filter(({ subjects }) => subjects.length > 0),
    skipped,
    failures,
  };
}

/** A Node binary and its version. */
export interface NodeBinary {
  readonly path: string;
  readonly version: string;
  /** Whether the ids of its subjects have no version: those of the first binary. */
  readonly isFirst: boolean;
}

function nodeBinary(path: string, index: number): NodeBinary {
  const { stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (error || !stdout.startsWith('v'))
    throw new Error(`--node must be the path of a Node binary; got ${path}`);
  return { path, version: stdout.trim().slice(1), isFirst: index === 0 };
}

const resultId = ({ subject: { id }, node }: Pair) => (node.isFirst ? id : `${id}@${node.version}`);

/** The subjects to measure, and the requested subjects that this machine cannot measure. */
export function choose(
  scenarios: readonly Scenario[],
  quick: boolean,
  filters: readonly string[],
  nodes: readonly NodeBinary[],
  env: NodeJS.ProcessEnv = process.env,
): { pairs: Pair[]; skipped: { subject: string; why: string }[] } {
  const pairs: Pair[] = [];
  const skipped = new Map<string, string>();
  for (const scenario of scenarios) {
    const ids = quick && filters.length === 0 ? scenario.quickSubjects : scenario.subjects;
    for (const id of ids) {
      if (filters.length > 0 && !selects(filters, scenario.id, id)) continue;
      const found = subject(id);
      const why = found.missing(env);
      if (why !== undefined) skipped.set(id, why);
      else
        for (const node of nodes)
          if (node.isFirst || found.usesNode) pairs.push({ scenario, subject: found, node, rounds: [] });
    }
  }
  return { pairs, skipped: [...skipped].map(([id, why]) => ({ subject: id, why })) };
}

function headline({ figures: [first] }: Scenario, { figures }: Measurement): string {
  if (first === undefined) return '';
  return `${formatNumber(figures[first.name] ?? Number.NaN)} ${first.name} ${first.unit}`;
}
