// The only file that knows Prometheus. The mailboxes, and grpc-metrics.ts for calls, count the events of every
// message in plain numbers, which are copied here at each scrape: prom-client's own counters would build a key
// from their labels at each step.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MethodInfo } from '../../grpc/calls/methods.js';
import { createEvents, type SidecarEvents } from '../events.js';
import { currentSampledTrace } from '../trace-context.js';
import { type DaemonMetricsOptions, daemonMetricSet, embeddedMetricSet } from './daemon-metrics.js';
import { grpcMetricSet } from './grpc-metrics.js';
import { limitMetricSet } from './limit-metrics.js';
import { type MailboxMetricsOptions, mailboxMetricSet } from './mailbox-metrics.js';
import type { Labels, MetricBoard, MetricSet } from './metric-board.js';
import type { MetricsSample } from './metrics-sample.js';
import { type MetricRow, processMetrics } from './metrics-table.js';
import { toOpenMetrics, toPlainText } from './open-metrics.js';
import { securityMetricSet } from './security-metrics.js';

export interface MetricsOptions extends MailboxMetricsOptions, DaemonMetricsOptions {
  /** The sidecar's release. */
  readonly version: string;
  /** The name and version of the gRPC contract, such as `spread.sidecar.v1`. */
  readonly contract: string;
  /** If private names have a seed: the seed, and the prefix of the names. */
  readonly privateNames?: { readonly seed: string; readonly prefix: string } | undefined;
  /** Every gRPC method of the server. */
  readonly methods: readonly MethodInfo[];
  /** True when the sidecar runs an embedded daemon. */
  readonly embeddedDaemon: boolean;
  /** The current values, read once for each scrape. */
  sample(): MetricsSample;
}

/** A page in one of Prometheus' formats. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

export interface Metrics {
  /** A subscriber of createEvents. */
  readonly events: SidecarEvents;
  /**
   * The response to a scrape: Prometheus' text format, or OpenMetrics on request. Series with known labels exist
   * from the start, with the value 0.
   */
  page(): Promise<MetricsText & { openMetrics(): MetricsText }>;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const board = new PrometheusBoard();
  const sets = [
    grpcMetricSet(board, options.methods),
    mailboxMetricSet(board, options),
    daemonMetricSet(board, options),
    ...(options.embeddedDaemon ? [embeddedMetricSet(board)] : []),
    securityMetricSet(board),
    limitMetricSet(board),
    processMetricSet(board, options),
  ];
  for (const { rows } of sets) board.register(rows);
  return {
    events: createEvents(sets.flatMap(({ events }) => events ?? [])),
    page: async () => {
      const sample = options.sample();
      for (const set of sets) set.update?.(sample);
      const text = `${await board.text()}\n${await theProcess().metrics()}`;
      return {
        contentType: Registry.PROMETHEUS_CONTENT_TYPE,
        body: toPlainText(text),
        openMetrics: () => ({ contentType: Registry.OPENMETRICS_CONTENT_TYPE, body: toOpenMetrics(text) }),
      };
    },
  };
}

function processMetricSet(
  board: MetricBoard,
  { version, contract, privateNames }: MetricsOptions,
): MetricSet {
  board.set(processMetrics.build, 1, { version, node: process.version, contract });
  if (privateNames) board.set(processMetrics.privateNames, 1, { ...privateNames });
  return {
    rows: Object.values(processMetrics),
    events: { mailbox: { defect: () => board.inc(processMetrics.defects) } },
  };
}

const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

let processRegistry: Registry | undefined;

/** Memory, processor, event loop: one registry for each process, because its observers cannot be removed. */
function theProcess(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
    // Gauges with the name of a counter, which are the sums of nodejs_active_handles and similar metrics.
    for (const name of MISNAMED) processRegistry.removeSingleMetric(name);
  }
  return processRegistry;
}

class PrometheusBoard implements MetricBoard {
  readonly #metrics = new Map<MetricRow, Counter | Gauge | Histogram>();
  readonly #registry = new Registry();
  /** prom-client supports exemplars only in a registry of this format. */
  readonly #histograms = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();

  constructor() {
    this.#histograms.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  }

  /** The page in Prometheus' text format, but histograms can have exemplars. */
  async text(): Promise<string> {
    return `${await this.#registry.metrics()}\n${await this.#histograms.metrics()}`;
  }

  /** Makes them appear also without a value. */
  register(rows: readonly MetricRow[]): void {
    for (const row of rows) this.#of(row);
  }

  set(row: MetricRow, value: number, labels: Labels = {}): void {
    const metric = this.#of(row);
    if (metric instanceof Gauge) metric.set(labels, value);
    if (!(metric instanceof Counter)) return;
    metric.remove(labels);
    metric.inc(labels, value);
  }

  inc(row: MetricRow, labels: Labels = {}): void {
    (this.#of(row) as Counter).inc(labels);
  }

  clear(row: MetricRow): void {
    this.#of(row).reset();
  }

  observer(row: MetricRow, labels: Labels): (value: number) => void {
    const histogram = this.#of(row) as Histogram;
    histogram.zero(labels);
    const { observe } = histogram.labels(labels);
    return (value) => {
      const trace = currentSampledTrace();
      if (trace === undefined) observe(value);
      else
        histogram.observe({
          labels,
          value,
          exemplarLabels: { trace_id: trace.traceId, span_id: trace.spanId },
        });
    };
  }

  #of(row: MetricRow): Counter | Gauge | Histogram {
    return this.#metrics.get(row) ?? this.#create(row);
  }

  #create(row: MetricRow): Counter | Gauge | Histogram {
    const definition = {
      name: row.name,
      help: row.help,
      labelNames: [...row.labels],
      registers: [this.#registry],
    };
    const metric = {
      counter: () => new Counter(definition),
      gauge: () => new Gauge(definition),
      histogram: () =>
        new Histogram({
          ...definition,
          registers: [this.#histograms],
          buckets: [...row.buckets!],
          enableExemplars: true,
        }),
    }[row.type]();
    this.#metrics.set(row, metric);
    return metric;
  }
}
