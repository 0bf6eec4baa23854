import type { Fields } from '../admin/admin-client.js';

/** Time over which rates are averaged, like the rates of the mailboxes. Unit: ms. */
const PERIOD_MS = 10_000;
/** Shortest time between compared counters. Unit: ms. */
const SHORTEST_MS = 1000;

interface Counts {
  /** Uptime of the sidecar. Unit: ms. */
  readonly atMs: number;
  readonly received: number;
  readonly sent: number;
}

const ZERO: Counts = { atMs: 0, received: 0, sent: 0 };

/** Rates of all mailboxes together, from the counters of `/status.json`. */
export class TotalRates {
  #startedAt: unknown;
  /** The counters of the last period, the oldest first. */
  #earlier: Counts[] = [];

  /** The first rates are averages since the start of the sidecar. */
  of(status: Fields): { readonly receivedPerSecond: number; readonly sentPerSecond: number } {
    const totals = (status.totals ?? {}) as Fields;
    const counts = {
      atMs: number(status.uptimeMs),
      received: number(totals.receivedEvents),
      sent: number(totals.sentMessages),
    };
    // The counters of a restarted sidecar begin at zero.
    if (status.startedAt !== this.#startedAt) this.#earlier = [];
    this.#startedAt = status.startedAt;
    const ageMs = ({ atMs }: Counts) => counts.atMs - atMs;
    const comparable = this.#earlier.filter((one) => ageMs(one) >= SHORTEST_MS);
    const from = comparable.find((one) => ageMs(one) <= PERIOD_MS) ?? comparable.at(-1) ?? ZERO;
    this.#earlier = [...this.#earlier.filter((one) => ageMs(one) <= PERIOD_MS), counts];
    const seconds = (counts.atMs - from.atMs) / 1000;
    const perSecond = (count: number) => (seconds > 0 ? Math.round((count / seconds) * 1000) / 1000 : 0);
    return {
      receivedPerSecond: perSecond(counts.received - from.received),
      sentPerSecond: perSecond(counts.sent - from.sent),
    };
  }
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
