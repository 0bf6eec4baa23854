import type { Stage } from '../stage.js';

/** A figure of a check, and its bound. */
export interface CheckedFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Undefined: the figure is only reported. */
  readonly atMost?: number | undefined;
  readonly atLeast?: number | undefined;
}

/** A check measures figures, and compares them with bounds. docs/reliability.md shows the figures. */
export interface Check<Option extends string = string> {
  /** The name of the command. */
  readonly id: string;
  /** A line for --help. */
  readonly text: string;
  /** Each option is `--name` with a number: its help and its default. */
  readonly options: Readonly<Record<Option, { readonly text: string; readonly default: number }>>;
  /** @param stage - starts the servers. Daemons have the default limit of unread messages. */
  run(options: Readonly<Record<Option, number>>, stage: Stage): Promise<readonly CheckedFigure[]>;
}

/** Whether a figure is within its bounds. NaN is within no bound. */
export function isWithin({ value, atMost, atLeast }: CheckedFigure): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}
