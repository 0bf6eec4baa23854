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
  const { pairs, skipped } = choose(scenarios, options.quick, filters);
  if (pairs.length === 0)
    throw new Error('nothing to measure; `npm run bench -- --list` names what there is');
  for (const { subject: id, why } of skipped) print(`skipped: ${id}: ${why}`);
  const failures: { where: string; why: string }[] = [];
  const effort = { seconds: options.seconds, quick: options.quick };
  let stage = new Stage(options.profile);
  try {
    for (let round = 1; round <= options.rounds; round += 1)
      for (const pair of pairs) {
        const where = `${pair.scenario.id}/${pair.subject.id}`;
        try {
          const measured = await patiently(pair.scenario.run(pair.subject, stage, effort), where);
          pair.rounds.push(measured);
          print(`${round}/${options.rounds} ${where}: ${headline(pair.scenario, measured)}`);
        } catch (error) {
          const why = (error as Error).message;
          pair.rounds.push(undefined);
          failures.push({ where: `${where}, round ${round}`, why });
          print(`${round}/${options.rounds} ${where}: FAILED: ${why}`);
          // After any error, the next measurement starts with fresh servers.
          await stage.close();
          stage = new Stage(options.profile);
        }
      }
  } finally {
    await stage.close();
  }
  return {
    machine: describeMachine(),
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
          .map((pair) => ({ id: pair.subject.id, text: pair.subject.text, rounds: pair.rounds })),
      }))
      .filter(({ subjects }) => subjects.length > 0),
    skipped,
    failures,
  };
}

/** The subjects to measure, and the requested subjects that this machine cannot measure. */
export function choose(
  scenarios: readonly Scenario[],
  quick: boolean,
  filters: readonly string[],
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
      if (why === undefined) pairs.push({ scenario, subject: found, rounds: [] });
      else skipped.set(id, why);
    }
  }
  return { pairs, skipped: [...skipped].map(([id, why]) => ({ subject: id, why })) };
}

function headline({ figures: [first] }: Scenario, { figures }: Measurement): string {
  if (first === undefined) return '';
  return `${formatNumber(figures[first.name] ?? Number.NaN)} ${first.name} ${first.unit}`;
}

/**
 * Roles and tools of a stalled measurement stay until the end of the run. A stall is a defect of the harness or of
 * a subject.
 */
async function patiently<T>(work: Promise<T>, where: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${where} was not done in ${PATIENCE_MS / 1000} s`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
