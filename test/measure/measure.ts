/** A measurement whose figures docs/reliability.md shows. */
export interface Measure {
  /** A line for --help. */
  readonly text: string;
  /** Options that it takes beside the common ones, `--name` with a number: what it means and its default. */
  readonly options: Readonly<Record<string, { readonly text: string; readonly default: number }>>;
  /** Measures, prints figures with their units, and says whether the bound that it states was kept. */
  run(options: Readonly<Record<string, number>>, print: (line: string) => void): Promise<boolean>;
}
