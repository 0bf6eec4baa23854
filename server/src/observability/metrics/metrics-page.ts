import {
  DELIVERY_BUCKETS,
  HANDLING_BUCKETS,
  MAX_NAMED_SLOW_CONSUMERS,
  type MetricRow,
  metricGroups,
} from './metrics-table.js';

/** Generates docs/metrics.md from the table of metrics. */
export function metricsPage(): string {
  const groups = metricGroups.map(({ title, rows }) => `## ${title}\n\n${table(rows)}`);
  return `${[intro(), ...groups].join('\n\n')}\n`;
}

function intro(): string {
  return `<!-- Generated from server/src/observability/metrics/metrics-table.ts by \`npm run gen\`. Do not edit. -->

# Metrics

For operators: every metric, with its type, labels and meaning.

\`GET /metrics\` on the admin port (\`admin.listen\`) returns these metrics in Prometheus' text format. If the \`Accept\` header of the
scraper prefers OpenMetrics 1.0, the sidecar uses that format. Every counter starts at 0 with all values of its labels, so rates are correct
from the first call. \`grpc_server_handled_total\` has one series for each method and status.

- The \`grpc_server_*\` metrics and the spelling of \`grpc_code\` (\`OK\`, \`InvalidArgument\`, …) are the same as in go-grpc-prometheus, so its
  dashboards and alerts work.
- Exemplars: with [tracing](tracing.md), the buckets of both histograms have the trace and span ID of a recent call or delivery (\`trace_id\`, \`span_id\`).
  Only the OpenMetrics format can contain exemplars.
- The number of series is limited. No label has the name of a group that clients join. At most ${MAX_NAMED_SLOW_CONSUMERS} mailboxes appear in labels, and only while they are slow consumers. The label \`mailbox\`
  is the display ID, which gives no access.
- The page also has prom-client's \`process_*\` and \`nodejs_*\` metrics: processor, memory, descriptors, garbage collection and event loop.
- The event loop has \`nodejs_eventloop_lag_seconds\`, its delay at the scrape. \`nodejs_eventloop_lag_p50_seconds\`, \`…_p90_seconds\`, \`…_p99_seconds\`,
  \`…_mean_seconds\`, \`…_min_seconds\`, \`…_max_seconds\` and \`…_stddev_seconds\` are statistics of the delay since the last scrape. They come from
  Node's \`perf_hooks.monitorEventLoopDelay\` with a resolution of 10 ms. An idle sidecar therefore shows about 0.01 s.
- The page does not have prom-client's \`nodejs_active_*_total\`. These gauges have names of counters, and only repeat the sums of \`nodejs_active_*\`.

These are the upper bounds of the buckets of each histogram:

| Histogram | Upper bounds in seconds |
|---|---|
| \`grpc_server_handling_seconds\` | ${HANDLING_BUCKETS.join(', ')} |
| \`spread_sidecar_event_delivery_seconds\` | ${DELIVERY_BUCKETS.join(', ')} |`;
}

function table(rows: readonly MetricRow[]): string {
  return [
    '| Name | Type | Labels | Meaning |',
    '|---|---|---|---|',
    ...rows.map(({ name, type, labels, help, details = '' }) => {
      const names = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${names} | ${`${help} ${details}`.trim()} |`;
    }),
  ].join('\n');
}
