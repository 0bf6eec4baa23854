import { HANDLING_BUCKETS, MAX_NAMED_SLOW_CONSUMERS, type MetricRow, metricGroups } from './metrics-table.js';

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
  dashboards and alerts work. The buckets of the histogram are ${HANDLING_BUCKETS.join(', ')} seconds. A Receive or MulticastStream
  counts as one call.
- The number of series is limited. No label has the name of a group that clients join. At most ${MAX_NAMED_SLOW_CONSUMERS} mailboxes appear in labels, and only while they are slow consumers. The label \`mailbox\`
  is the display ID, which gives no access.
- The page also has prom-client's \`process_*\` and \`nodejs_*\` metrics: processor, memory, descriptors, event loop lag, garbage collection.
  The page does not have prom-client's \`nodejs_active_*_total\`. These gauges have names of counters, and only repeat the sums of \`nodejs_active_*\`.`;
}

function table(rows: readonly MetricRow[]): string {
  return [
    '| Name | Type | Labels | Meaning |',
    '|---|---|---|---|',
    ...rows.map(({ name, type, labels, help }) => {
      const names = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${names} | ${help} |`;
    }),
  ].join('\n');
}
