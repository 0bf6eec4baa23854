/** The boundaries of a histogram's buckets, which OpenMetrics writes as floating-point numbers: `1.0`. */
const WHOLE_BOUND = /([{,]le=")(\d+)(")/;

/**
 * Converts a page of Prometheus' text format 0.0.4 to OpenMetrics 1.0: the family of a counter has no suffix
 * `_total`, but its samples do. The page has no empty lines and ends with `# EOF`. prom-client can write
 * OpenMetrics too, but it renames the metrics permanently, so one registry cannot serve both formats.
 */
export function toOpenMetrics(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const counters = new Set(
    lines
      .flatMap((line) => /^# TYPE (\S+)_total counter$/.exec(line)?.[1] ?? [])
      .map((name) => `${name}_total`),
  );
  const converted = lines.map((line) => {
    if (!line.startsWith('#')) return line.replace(WHOLE_BOUND, '$1$2.0$3');
    const [, keyword = '', name = '', rest = ''] = /^# (\S+) (\S+) ?(.*)$/.exec(line) ?? [];
    const family = counters.has(name) ? name.slice(0, -'_total'.length) : name;
    return `# ${keyword} ${family} ${keyword === 'HELP' ? rest.replaceAll('"', '\\"') : rest}`;
  });
  return `${converted.join('\n')}\n# EOF\n`;
}
