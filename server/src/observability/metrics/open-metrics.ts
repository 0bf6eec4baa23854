/** The boundaries of a histogram's buckets, which OpenMetrics writes as floating-point numbers: `1.0`. */
const WHOLE_BOUND = /([{,]le=")(\d+)(")/;

/** A bucket with an exemplar after its value. Other metrics have no exemplars, but can have names of clients as labels. */
const EXEMPLAR = /^(\w+_bucket\{.*) # \{[^}]*\} \S+ \S+$/;
const END = '# EOF';

/**
 * Converts a page of Prometheus' text format 0.0.4 whose histograms are in the format of OpenMetrics: removes the
 * exemplars and the end of their page, which the text format does not have.
 */
export function toPlainText(text: string): string {
  return text
    .split('\n')
    .filter((line) => line !== END)
    .map((line) => line.replace(EXEMPLAR, '$1'))
    .join('\n');
}

/**
 * Converts a page of Prometheus' text format 0.0.4 to OpenMetrics 1.0: the family of a counter has no suffix
 * `_total`, but its samples do. The page has no empty lines and ends with `# EOF`. prom-client can write
 * OpenMetrics too, but it renames the metrics permanently, so one registry cannot serve both formats.
 */
export function toOpenMetrics(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '' && line !== END);
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
  return `${converted.join('\n')}\n${END}\n`;
}
