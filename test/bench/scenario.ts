import type { Stage } from './stage.js';
import type { Subject } from './subjects.js';

/** How much is done. */
export interface Effort {
  /** About how long one measurement takes, warm-up left out, at the rates that scenarios assume. */
  readonly seconds: number;
  /** Only to see that everything runs: few subjects, small numbers. */
  readonly quick: boolean;
}

/** What one measurement of a subject brought. */
export interface Measurement {
  readonly figures: Readonly<Record<string, number>>;
  /** Processor time by process, as a share of one core: 1 is a core that did nothing else. */
  readonly load?: Readonly<Record<string, number>>;
}

/** A figure of a scenario: its unit, and which way is good. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
}

/** What is measured of subjects, and how it is counted. */
export interface Scenario {
  readonly id: string;
  /** One sentence for the report: processes, messages, what is counted where. */
  readonly text: string;
  /** The first one is that of charts and ratios. */
  readonly figures: readonly Figure[];
  readonly subjects: readonly string[];
  /** Of them, those that --quick measures. */
  readonly quickSubjects: readonly string[];
  run(subject: Subject, stage: Stage, effort: Effort): Promise<Measurement>;
}

/** Messages for the time of an effort, in thousands because spflooder tells of no fewer. */
export function messageCount(perSecond: number, effort: Effort): number {
  return Math.max(1, Math.round((perSecond * effort.seconds) / 1000)) * 1000;
}
