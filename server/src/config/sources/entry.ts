import type { Mistake } from '../mistakes.js';
import type { OptionRow } from '../option-rows.js';

/** The kind of source of a value. */
export type Source =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly line: number; readonly column: number }
  | { readonly kind: 'default' };

/** A value that is not parsed yet. The items of a list are already separate. */
export interface Entry {
  readonly row: OptionRow;
  readonly given: string | readonly string[];
  readonly source: Source;
}

/** The values of one source. */
export interface Given {
  readonly entries: readonly Entry[];
  readonly mistakes: readonly Mistake[];
}

/** `flag --x`, `environment SPREAD_SIDECAR_X`, `file.yaml:12:3` or `default`. */
export function sourceText(source: Source): string {
  switch (source.kind) {
    case 'flag':
      return `flag --${source.name}`;
    case 'environment':
      return `environment ${source.name}`;
    case 'file':
      return `${source.path}:${source.line}:${source.column}`;
    case 'default':
      return 'default';
  }
}
