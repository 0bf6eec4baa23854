import type { Stage } from './stage.js';
import type { Subject } from './subjects.js';

/** The extent of a measurement. */
export interface Effort {
  /** Approximate duration of one measurement without warm-up, at the rates that scenarios assume. */
  readonly seconds: number;
  /** Runs few subjects with small numbers, only to check that everything runs. */
  readonly quick: boolean;
}

/** The result of one measurement of a subject. */
export interface Measurement {
  readonly figures: Readonly<Record<string, number>>;
  /** Processor time by process, as a share of one core. 1 is a core that did nothing else. */
  readonly load?: Readonly<Record<string, number>>;
}

/** A figure of a scenario: its unit, and whether more or less is better. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
}

/** A measurement that several subjects run, and its figures. */
export interface Scenario {
  readonly id: string;
  /** One sentence for the report: processes, messages, what is counted and where. */
  readonly text: string;
  /** Charts and ratios use the first figure. */
  readonly figures: readonly Figure[];
  readonly subjects: readonly string[];
  /** The subset of `subjects` that --quick measures. */
  readonly quickSubjects: readonly string[];
  run(subject: Subject, stage: Stage, effort: Effort): Promise<Measurement>;
}

/** Number of messages for an effort. A multiple of a thousand, because spflooder reports only thousands. */
export function messageCount(perSecond: number, effort: Effort): number {
  return Math.max(1, Math.round((perSecond * effort.seconds) / 1000)) * 1000;
}
