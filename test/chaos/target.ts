import type { Random } from './random.js';

/** A target of faults, with one fault at a time. */
export interface Target {
  /** The name in the history. */
  readonly name: string;
  /** Further links that a fault affects. */
  readonly affects?: readonly string[];
  /** The weights of the faults. */
  readonly weights: Readonly<Record<string, number>>;
  /**
   * Starts a fault. Calls `note` with its description before the fault has effects, and returns its duration.
   * Unit: ms.
   */
  strike(fault: string, plan: Random, note: (detail: string) => void): Promise<number>;
  /** Ends the fault. Resolves when the target works again. */
  heal(): Promise<void>;
}
