/** Time after which the compared counters are replaced by later ones. Unit: ms. */
const GENERATION_MS = 5000;
/** Shortest time between the compared counters. Unit: ms. */
const SHORTEST_MS = 1000;

/** The counters of a mailbox at one moment. */
interface Counts {
  /** Monotonic clock. Unit: ms. */
  readonly atMs: number;
  readonly received: number;
  readonly sent: number;
}

/** Average numbers of events for each second. */
export interface Rate {
  readonly receivedPerSecond: number;
  readonly sentPerSecond: number;
  /** The averaged time. Unit: ms. */
  readonly periodMs: number;
}

/**
 * Computes rates from the counters that mailboxes have anyway, at the time of a request. It compares them with the
 * counters of an earlier request, or with zero when the mailbox was opened.
 */
export class Rates {
  #older: ReadonlyMap<string, Counts> = new Map();
  #newer = new Map<string, Counts>();
  #newerSinceMs = Number.NEGATIVE_INFINITY;

  /** @param now - the monotonic clock, in milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Before the mailboxes of one snapshot are read. */
  begin(): void {
    const nowMs = this.now();
    if (nowMs - this.#newerSinceMs < GENERATION_MS) return;
    this.#older = this.#newer;
    this.#newer = new Map();
    this.#newerSinceMs = nowMs;
  }

  /** @param openMs - the time since the mailbox was opened, in milliseconds */
  of(displayId: string, received: number, sent: number, openMs: number): Rate {
    const nowMs = this.now();
    const earlier = this.#older.get(displayId) ?? this.#newer.get(displayId);
    if (!this.#newer.has(displayId)) this.#newer.set(displayId, { atMs: nowMs, received, sent });
    const from =
      earlier !== undefined && nowMs - earlier.atMs >= SHORTEST_MS
        ? earlier
        : { atMs: nowMs - Math.max(1, openMs), received: 0, sent: 0 };
    const periodMs = Math.round(nowMs - from.atMs);
    const perSecond = (count: number) => Math.round((count / periodMs) * 1e6) / 1000;
    return {
      receivedPerSecond: perSecond(received - from.received),
      sentPerSecond: perSecond(sent - from.sent),
      periodMs,
    };
  }
}
