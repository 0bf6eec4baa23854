import type { EventSubscriber } from '../events.js';
import type { MetricsSample } from './metrics-sample.js';
import type { MetricRow } from './metrics-table.js';

export type Labels = Readonly<Record<string, string>>;

/** Receives the values of metrics. The rest of this folder knows only this part of Prometheus. */
export interface MetricBoard {
  /** Sets a gauge, or a counter that is counted elsewhere. */
  set(row: MetricRow, value: number, labels?: Labels): void;
  /** Adds 1 to a counter. */
  inc(row: MetricRow, labels?: Labels): void;
  /** Removes all series of a metric with labels. */
  clear(row: MetricRow): void;
  /** A function that adds a value to a histogram, whose series exists from now on. */
  observer(row: MetricRow, labels: Labels): (value: number) => void;
}

/** Metrics of one topic: their events, and their samples at each scrape. */
export interface MetricSet {
  readonly rows: readonly MetricRow[];
  readonly events?: EventSubscriber;
  update?(sample: MetricsSample): void;
}
