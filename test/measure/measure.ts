/** A measurement whose figures docs/reliability.md shows. */
export interface Measure {
  /** A line for --help. */
  readonly text: string;
  /**
   * Options of this measurement beside the common ones. Each is `--name` with a number: its help and its default.
   */
  readonly options: Readonly<Record<string, { readonly text: string; readonly default: number }>>;
  /** Measures, prints figures with their units, and returns whether the stated bound was kept. */
  run(options: Readonly<Record<string, number>>, print: (line: string) => void): Promise<boolean>;
}
