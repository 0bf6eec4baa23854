/** One of the figures of docs/reliability.md, and how it is made again. */
export interface Measure {
  /** A line for --help. */
  readonly text: string;
  /** Options that it takes beside the common ones, `--name` with a number: what it means and its default. */
  readonly options: Readonly<Record<string, { readonly text: string; readonly default: number }>>;
  /** Measures, prints figures with their units, and says whether the bound that it states was kept. */
  run(options: Readonly<Record<string, number>>, print: (line: string) => void): Promise<boolean>;
}
