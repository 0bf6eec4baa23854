/** Time that the charts show. Unit: ms. */
export const CHART_MS = 120_000;

/** Rates over time, as the chart library takes them: times in seconds, received and sent per second. */
export type RateSeries = readonly [number[], (number | null)[], (number | null)[]];

interface History {
  readonly times: number[];
  readonly received: number[];
  readonly sent: number[];
  lastReceived: number;
  lastSent: number;
  lastAtMs: number;
}

/** The rates of mailboxes in the last two minutes, from the counters that each refresh shows. */
export class RateHistory {
  readonly #histories = new Map<string, History>();

  /**
   * Records the counters of a mailbox.
   *
   * @param received - events received since the mailbox was opened
   * @param sent - messages sent since the mailbox was opened
   */
  record(id: string, atMs: number, received: number, sent: number): void {
    const known = this.#histories.get(id);
    if (known === undefined) {
      const history = { times: [], received: [], sent: [] };
      this.#histories.set(id, { ...history, lastReceived: received, lastSent: sent, lastAtMs: atMs });
      return;
    }
    const seconds = (atMs - known.lastAtMs) / 1000;
    // Two requests can show the same snapshot.
    if (seconds <= 0) return;
    known.times.push(atMs / 1000);
    known.received.push(Math.max(0, (received - known.lastReceived) / seconds));
    known.sent.push(Math.max(0, (sent - known.lastSent) / seconds));
    Object.assign(known, { lastReceived: received, lastSent: sent, lastAtMs: atMs });
    while (known.times[0]! < (atMs - CHART_MS) / 1000)
      for (const list of [known.times, known.received, known.sent]) list.shift();
  }

  /** Forgets mailboxes that no refresh has shown for longer than the chart. */
  prune(nowMs: number): void {
    for (const [id, { lastAtMs }] of this.#histories)
      if (nowMs - lastAtMs > CHART_MS) this.#histories.delete(id);
  }

  get size(): number {
    return this.#histories.size;
  }

  series(id: string): RateSeries {
    const { times, received, sent } = this.#histories.get(id) ?? { times: [], received: [], sent: [] };
    return [times, received, sent];
  }
}
