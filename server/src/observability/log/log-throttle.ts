/** Unit: ms. */
const WINDOW_MS = 10_000;

/** Fields of a line that is written. `more`: how many lines of its kind were left out since the last one, if any. */
export interface Throttled {
  readonly more?: number;
}

/** Writes how many lines of a kind were left out since the last one that was written. */
export type ReportLeftOut = (more: number) => void;

interface Kind {
  windowAtMs: number;
  written: number;
  leftOut: number;
  /** Of the last line that was left out. */
  report: ReportLeftOut;
}

/**
 * Bounds the lines that peers can cause: of each kind a few in ten seconds, with a count of those that were left out. The next line
 * carries the count; without one, the count is reported when the ten seconds end. Kinds have to come from a fixed set, because
 * each is remembered.
 */
export class LogThrottle {
  readonly #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | undefined;

  /** @param burst - lines of a kind in ten seconds */
  constructor(
    private readonly burst = 1,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Fields for a line of this kind; undefined when it is not to be written.
   *
   * @param report - called at the end of the ten seconds if no further line carries the count
   */
  admit(kind: string, report: ReportLeftOut): Throttled | undefined {
    const now = this.now();
    let state = this.#kinds.get(kind);
    if (state === undefined) {
      state = { windowAtMs: now, written: 0, leftOut: 0, report };
      this.#kinds.set(kind, state);
    } else if (now - state.windowAtMs >= WINDOW_MS) {
      state.windowAtMs = now;
      state.written = 0;
    }
    if (state.written >= this.burst) {
      state.leftOut++;
      state.report = report;
      this.#timer ??= this.#wait(state.windowAtMs + WINDOW_MS - now);
      return undefined;
    }
    state.written++;
    const { leftOut } = state;
    state.leftOut = 0;
    return leftOut > 0 ? { more: leftOut } : {};
  }

  /** Reports now what was left out of each kind; for a shutdown. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const kind of this.#kinds.values()) this.#report(kind);
  }

  /** Reports the kinds whose ten seconds are over, and waits for the others. */
  #reportEnded(): void {
    this.#timer = undefined;
    const now = this.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const kind of this.#kinds.values()) {
      if (kind.leftOut === 0) continue;
      const leftMs = kind.windowAtMs + WINDOW_MS - now;
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      else this.#report(kind);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#timer ??= this.#wait(nextMs);
  }

  #report(kind: Kind): void {
    const { leftOut } = kind;
    if (leftOut === 0) return;
    kind.leftOut = 0;
    kind.report(leftOut);
  }

  #wait(ms: number): NodeJS.Timeout {
    // A process that has nothing else to do may end.
    return setTimeout(() => this.#reportEnded(), Math.max(1, Math.ceil(ms))).unref();
  }
}
