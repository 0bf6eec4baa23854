/** Unit: ms. */
const WINDOW_MS = 10_000;

/** Fields of a written line. `more`: number of suppressed lines of its kind since the last one, if any. */
export interface Throttled {
  readonly more?: number;
}

/** Reports how many lines of a kind were suppressed since the last written one. */
export type ReportLeftOut = (more: number) => void;

interface Kind {
  windowAtMs: number;
  written: number;
  leftOut: number;
  /** The fields of the last suppressed line. */
  report: ReportLeftOut;
}

/**
 * Limits the rate of lines that peers can cause: a few of each kind in ten seconds, and a count of the suppressed
 * ones. The next line contains the count. Without a next line, the count is reported at the end of the ten
 * seconds. Kinds must come from a fixed set, because each is remembered.
 */
export class LogThrottle {
  readonly #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | undefined;

  /** @param burst - number of lines of a kind in ten seconds */
  constructor(
    private readonly burst = 1,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Fields for a line of this kind. Undefined when the line is suppressed.
   *
   * @param report - called at the end of the ten seconds if no further line contains the count
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

  /** Reports all suppressed lines now. For a shutdown. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const kind of this.#kinds.values()) this.#report(kind);
  }

  /** Reports the kinds whose ten seconds have ended, and waits for the others. */
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
    // The timer does not keep the process alive.
    return setTimeout(() => this.#reportEnded(), Math.max(1, Math.ceil(ms))).unref();
  }
}
