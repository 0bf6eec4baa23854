/** Unit: ms. */
const WINDOW_MS = 10_000;

/** Fields of a line that is written. `more`: how many lines of its kind were left out since the last one, if any. */
export interface Throttled {
  readonly more?: number;
}

/**
 * Bounds the lines that peers can cause: of each kind a few in ten seconds, with a count of those between. Kinds have to come
 * from a fixed set, because each is remembered.
 */
export class LogThrottle {
  readonly #kinds = new Map<string, { windowAtMs: number; written: number; leftOut: number }>();

  /** @param burst - lines of a kind in ten seconds */
  constructor(
    private readonly burst = 1,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Fields for a line of this kind; undefined when it is not to be written. */
  admit(kind: string): Throttled | undefined {
    const now = this.now();
    let state = this.#kinds.get(kind);
    if (state === undefined) {
      state = { windowAtMs: now, written: 0, leftOut: 0 };
      this.#kinds.set(kind, state);
    } else if (now - state.windowAtMs >= WINDOW_MS) {
      state.windowAtMs = now;
      state.written = 0;
    }
    if (state.written >= this.burst) {
      state.leftOut++;
      return undefined;
    }
    state.written++;
    const { leftOut } = state;
    state.leftOut = 0;
    return leftOut > 0 ? { more: leftOut } : {};
  }
}
