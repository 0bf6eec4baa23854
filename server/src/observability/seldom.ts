/** Strangers may knock as often as they like: a line of a kind in this time. Unit: ms. */
const QUIET_MS = 10_000;

/** Lets a line of a kind through once in ten seconds, and counts those between. */
export class Seldom {
  readonly #told = new Map<string, { atMs: number; since: number }>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Undefined: not now. Else fields for the line: `more`, how many were not told since the last one, if any. */
  about(kind: string): { readonly more?: number } | undefined {
    const last = this.#told.get(kind);
    if (last && this.now() - last.atMs < QUIET_MS) {
      last.since++;
      return undefined;
    }
    this.#told.set(kind, { atMs: this.now(), since: 0 });
    return last?.since ? { more: last.since } : {};
  }
}
