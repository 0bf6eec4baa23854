import type { Results, ScenarioRounds } from '../../bench/results.js';

/** A scenario with one result. Undefined is a failed round. */
export function scenario(
  id: string,
  figure: string,
  subjects: Readonly<Record<string, readonly (number | undefined)[]>>,
): ScenarioRounds {
  return {
    id,
    text: `What ${id} is.`,
    figures: [{ name: figure, unit: '1/s', better: 'more' }],
    subjects: Object.entries(subjects).map(([subject, values]) => ({
      id: subject,
      base: subject.split('@')[0] as string,
      node: subject.split('@')[1] ?? '24.0.0',
      text: subject,
      rounds: values.map((value) =>
        value === undefined ? undefined : { figures: { [figure]: value }, load: { sender: 0.25 } },
      ),
    })),
  };
}

export function results(scenarios: readonly ScenarioRounds[], changes: Partial<Results> = {}): Results {
  return {
    machine: {
      cpu: 'Some CPU',
      cores: 2,
      memoryGiB: 8,
      kernel: 'Linux 6',
      versions: { node: '20.20.2', spread: '5.0.1' },
    },
    startedAt: '2026-01-01T00:00:00.000Z',
    command: 'npm run bench --',
    rounds: 3,
    seconds: 2,
    quick: false,
    scenarios,
    skipped: [],
    failures: [],
    ...changes,
  };
}
