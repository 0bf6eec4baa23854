import type { Random } from './random.js';

/** Something that can be broken, in one way at a time, and healed. */
export interface Target {
  /** As the history names it. */
  readonly name: string;
  /** Links, besides itself, that suffer when it is broken. */
  readonly affects?: readonly string[];
  /** How often each fault comes. */
  readonly weights: Readonly<Record<string, number>>;
  /** Begins a fault, says what it is in `note`, at once or before anything breaks, and how long it lasts. Unit: ms. */
  strike(fault: string, plan: Random, note: (detail: string) => void): Promise<number>;
  /** Ends the fault; resolves when all is there again. */
  heal(): Promise<void>;
}
