import { build, type Histogram } from 'hdr-histogram-js';
import type { FloodPlan } from './flood-plan.js';
import type { Stamp } from './stamp.js';

/** The counts of a flood. */
export interface FloodReport {
  /** Number of messages of all senders that the daemon got. */
  readonly sent: number;
  readonly refused: number;
  /** Number of messages of all receivers. */
  readonly received: number;
  /** Number of messages that the receivers should have received. */
  readonly expected: number;
  readonly lost: number;
  /** Messages that arrived after a later one of the same sender, or twice. */
  readonly outOfOrder: number;
  /** Time from the first sent message to the last received one. */
  readonly seconds: number;
  readonly sentPerSecond: number;
  readonly receivedPerSecond: number;
  readonly megabytesPerSecond: number;
  /** Time between sending and receiving. Undefined without receivers. Unit: ms. */
  readonly latencyMs: Readonly<Record<'mean' | 'p50' | 'p90' | 'p99' | 'p99.9' | 'max', number>> | undefined;
}

const LATENCY_BOUND_US = 3_600_000_000;

/** Counts while a flood runs. */
export class FloodTally {
  readonly #plan: FloodPlan;
  /** The number of the next message, by receiver and sender. */
  readonly #next: number[][];
  readonly #receivedBy: number[];
  readonly #latency: Histogram;
  #startedAt: number | undefined;
  #lastAt = 0;
  sent = 0;
  refused = 0;
  received = 0;
  outOfOrder = 0;

  constructor(plan: FloodPlan) {
    this.#plan = plan;
    this.#next = Array.from({ length: plan.receivers }, () => new Array<number>(plan.senders).fill(0));
    this.#receivedBy = new Array<number>(plan.receivers).fill(0);
    this.#latency = build({ highestTrackableValue: LATENCY_BOUND_US, numberOfSignificantValueDigits: 3 });
  }

  onSent(now: number): void {
    this.#startedAt ??= now;
    this.#lastAt = now;
    this.sent += 1;
  }

  onReceived(receiver: number, stamp: Stamp, now: number): void {
    const next = this.#next[receiver] as number[];
    if (stamp.index < (next[stamp.sender] ?? 0)) this.outOfOrder += 1;
    next[stamp.sender] = Math.max(next[stamp.sender] ?? 0, stamp.index + 1);
    this.#receivedBy[receiver] = (this.#receivedBy[receiver] ?? 0) + 1;
    this.received += 1;
    this.#lastAt = now;
    this.#latency.recordValue(
      Math.min(Math.max(1, Math.round((now - stamp.sentAt) * 1000)), LATENCY_BOUND_US),
    );
  }

  /** Number of messages that the slowest receiver has not received yet. */
  get behind(): number {
    if (this.#plan.receivers === 0) return 0;
    return this.sent - this.refused - Math.min(...this.#receivedBy);
  }

  /** Number of sent messages that all receivers together should receive. */
  get expected(): number {
    return (this.sent - this.refused) * this.#plan.receivers;
  }

  report(): FloodReport {
    const { sent, refused, received, expected, outOfOrder } = this;
    const seconds = Math.max((this.#lastAt - (this.#startedAt ?? this.#lastAt)) / 1000, 1e-6);
    const ms = (microseconds: number) => microseconds / 1000;
    const at = (percentile: number) => ms(this.#latency.getValueAtPercentile(percentile));
    return {
      sent: sent - refused,
      refused,
      received,
      expected,
      lost: Math.max(expected - received, 0),
      outOfOrder,
      seconds,
      sentPerSecond: (sent - refused) / seconds,
      receivedPerSecond: received / seconds,
      megabytesPerSecond: (Math.max(received, sent - refused) * this.#plan.size) / seconds / 1e6,
      latencyMs:
        this.#plan.receivers === 0
          ? undefined
          : {
              mean: ms(this.#latency.mean),
              p50: at(50),
              p90: at(90),
              p99: at(99),
              'p99.9': at(99.9),
              max: ms(this.#latency.maxValue),
            },
    };
  }
}
