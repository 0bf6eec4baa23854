import type { Machine } from './machine.js';
import type { Figure, Measurement } from './scenario.js';
import { pairedRatios, type Summary, summarize } from './statistics.js';

/** The measurements of a subject in a scenario, round by round. A failed round is undefined. */
export interface SubjectRounds {
  readonly id: string;
  /** The id without the version of a further Node binary. */
  readonly base: string;
  /** Version of the Node binary that ran our processes. */
  readonly node: string;
  readonly text: string;
  readonly rounds: readonly (Measurement | undefined)[];
}

export interface ScenarioRounds {
  readonly id: string;
  readonly text: string;
  readonly figures: readonly Figure[];
  readonly subjects: readonly SubjectRounds[];
}

/** All results of a run, as written to JSON. */
export interface Results {
  readonly machine: Machine;
  readonly startedAt: string;
  readonly command: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  readonly scenarios: readonly ScenarioRounds[];
  /** Subjects that this machine could not measure, with the reason. */
  readonly skipped: readonly { readonly subject: string; readonly why: string }[];
  readonly failures: readonly { readonly where: string; readonly why: string }[];
}

/** A figure of a subject in a scenario. */
export interface Reference {
  readonly scenario: string;
  readonly subject: string;
  readonly figure: string;
}

/** The values of a figure, round by round. Empty when the figure was not measured. */
function roundsOf(
  results: Results,
  { scenario, subject, figure }: Reference,
): readonly (number | undefined)[] {
  const found = results.scenarios
    .find(({ id }) => id === scenario)
    ?.subjects.find(({ id }) => id === subject);
  return found?.rounds.map((round) => round?.figures[figure]) ?? [];
}

/** A figure over all rounds. Undefined when the figure was not measured. */
export function summaryOf(results: Results, reference: Reference): Summary | undefined {
  const values = roundsOf(results, reference).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : summarize(values);
}

/** The ratio of a figure to `to`, round by round. Undefined when one of them was not measured. */
export function ratioOf(results: Results, of: Reference, to: Reference): Summary | undefined {
  const ratios = pairedRatios(roundsOf(results, of), roundsOf(results, to));
  return ratios.length === 0 ? undefined : summarize(ratios);
}
