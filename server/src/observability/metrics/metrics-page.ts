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

\`GET /metrics\` on the admin port (\`admin.listen\`), in Prometheus' text format, or in OpenMetrics 1.0 for a\nscraper whose \`Accept\` header prefers it. Counters and their labels are there from the start, at 0,
so that a rate is right from the first call. A method has one series a status in \`grpc_server_handled_total\`.

- The \`grpc_server_*\` metrics and the spelling of \`grpc_code\` (\`OK\`, \`InvalidArgument\`, …) are those of go-grpc-prometheus: its
  dashboards and alerts work. The histogram's buckets begin at 0.1 ms: ${HANDLING_BUCKETS.join(', ')} seconds. A Receive or MulticastStream
  counts as one call, as long as it lasts.
- Labels are bounded: no metric has a label for a group, and at most ${MAX_NAMED_SLOW_CONSUMERS} mailboxes are named, only while they are slow. \`mailbox\` is the display
  id, which opens nothing.
- Beside these there are prom-client's \`process_*\` and \`nodejs_*\` metrics: processor, memory, descriptors, event loop lag, garbage collection.
  Its \`nodejs_active_*_total\` are left out: these gauges have names of counters and are the sums of \`nodejs_active_*\`.`;
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
