import type { Random } from '../../chaos/random.js';
import type { Input } from './input.js';
import type { Material } from './mutator.js';

/** Something that reads what strangers write. */
export interface Target {
  readonly name: string;
  /** A line for --help. */
  readonly text: string;
  /** `network`: many inputs at once, against servers that really listen. */
  readonly kind: 'pure' | 'network';
  /** What is counted as inputs at a time, between two looks at the whole. */
  readonly chunk: number;
  /** Inputs of a chunk that run at the same time. */
  readonly lanes: number;
  /** Sets up. Whatever it opens, the subject's stop() closes. */
  open(): Promise<Subject> | Subject;
}

export interface Subject {
  readonly material: Material;
  /** Instead of the usual mutation, where the structure is known. */
  readonly generate?: (random: Random) => Input;
  /**
   * Tries one input. Returns a word for what came of it, such as the class of the error that the contract foresees; throws
   * whatever is a finding.
   */
  run(input: Input): string | Promise<string>;
  /** After each chunk: looks whether everybody else is unharmed and nothing is left behind. Throws what is a finding. */
  settle?(): Promise<void>;
  /** Before memory and handles are counted: waits for what ends by itself, for as long as that may take. */
  quiet?(): Promise<void>;
  stop?(): Promise<void>;
}

/** What an oracle says: the input itself did nothing that JavaScript calls an error. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
