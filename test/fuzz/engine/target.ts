import type { Random } from '../../chaos/random.js';
import type { Input } from './input.js';
import type { Material } from './mutator.js';

/** Code that reads untrusted input. */
export interface Target {
  readonly name: string;
  /** A line for --help. */
  readonly text: string;
  /** `network`: many concurrent inputs, sent to real listeners. */
  readonly kind: 'pure' | 'network';
  /** Number of inputs between two checks of the whole subject. */
  readonly chunk: number;
  /** Number of concurrent inputs of a chunk. */
  readonly lanes: number;
  /** Creates the subject. stop() of the subject closes everything that open() opened. */
  open(): Promise<Subject> | Subject;
}

export interface Subject {
  readonly material: Material;
  /** Replaces the usual mutation if the structure of inputs is known. */
  readonly generate?: (random: Random) => Input;
  /**
   * Runs one input. Returns the name of the outcome, such as the class of an error that the contract allows.
   * Throws for a finding.
   */
  run(input: Input): string | Promise<string>;
  /**
   * Runs after each chunk: checks that other clients are unharmed and that nothing is left behind. Throws for a
   * finding.
   */
  settle?(): Promise<void>;
  /** Runs before memory and handles are counted: waits until temporary resources are released. */
  quiet?(): Promise<void>;
  stop?(): Promise<void>;
}

/** A violation that an oracle detects although the input caused no JavaScript error. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
