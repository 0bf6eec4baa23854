/** A metric of a /metrics page. */
export interface ScrapedMetric {
  readonly type: string;
  /** The labels of each series. For a histogram, those of its _bucket, _sum and _count. */
  readonly series: Record<string, string>[];
}

/**
 * Parses Prometheus' text format, by the names that a query can use. A histogram also has the names of its
 * parts.
 */
export function parseMetrics(page: string): Map<string, ScrapedMetric> {
  const metrics = new Map<string, ScrapedMetric>();
  for (const line of page.split('\n')) {
    const [, declared, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (declared !== undefined && type !== undefined)
      for (const suffix of type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
        metrics.set(declared + suffix, { type, series: [] });
    const [, name, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key!, value!]);
    metrics.get(name)?.series.push(Object.fromEntries(pairs));
  }
  return metrics;
}
