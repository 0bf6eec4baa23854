import { metricGroups } from '../../../server/src/observability/metrics/metrics-table.js';
import type { ScrapedMetric } from './metrics-text.js';
import { groupingLabelsOf, type Matcher, selectorsOf } from './promql.js';

/** The labels that Prometheus adds to every series of a pod. */
const TARGET_LABELS = ['namespace', 'pod', 'container', 'job', 'instance', 'endpoint'];

/**
 * The unknown names in a PromQL expression: metrics that neither a sidecar nor a rule has, unknown labels,
 * and impossible values of labels. `scraped` is the page of a sidecar, `recorded` the names of recording
 * rules.
 */
export function unknownNames(
  expression: string,
  scraped: ReadonlyMap<string, ScrapedMetric>,
  recorded: ReadonlyMap<string, string> = new Map(),
): string[] {
  const problems: string[] = [];
  const labels = new Set(TARGET_LABELS);
  for (const { metric, matchers } of selectorsOf(expression)) {
    const known = labelsOf(metric, scraped, recorded);
    if (known === undefined) {
      problems.push(`no metric ${metric}`);
      continue;
    }
    for (const label of known) labels.add(label);
    for (const matcher of matchers) {
      if (!known.has(matcher.label)) problems.push(`${metric} has no label ${matcher.label}`);
      else problems.push(...strangeValues(matcher, scraped.get(metric)).map((v) => `${metric}: ${v}`));
    }
  }
  for (const label of groupingLabelsOf(expression))
    if (!labels.has(label)) problems.push(`no metric has the label ${label}`);
  return problems;
}

function labelsOf(
  metric: string,
  scraped: ReadonlyMap<string, ScrapedMetric>,
  recorded: ReadonlyMap<string, string>,
): Set<string> | undefined {
  const expression = recorded.get(metric);
  if (expression !== undefined)
    return new Set(
      selectorsOf(expression).flatMap((selector) => [
        ...(labelsOf(selector.metric, scraped, recorded) ?? []),
      ]),
    );
  // Prometheus adds it for each target.
  if (metric === 'up') return new Set(TARGET_LABELS);
  const found = scraped.get(metric);
  if (found === undefined) return undefined;
  // The series of some metrics appear later; the table has their labels.
  const declared = metricGroups.flatMap(({ rows }) => rows).find(({ name }) => name === metric);
  return new Set([...TARGET_LABELS, ...(declared?.labels ?? []), ...found.series.flatMap(Object.keys)]);
}

/** The alternatives of a matcher that no series has. */
function strangeValues({ label, operator, value }: Matcher, metric: ScrapedMetric | undefined): string[] {
  const values = new Set(metric?.series.map((series) => series[label]).filter((v) => v !== undefined));
  // A label of the target, or one whose values are created at run time.
  if (values.size === 0 || value.includes('$')) return [];
  return alternatives(operator, value).flatMap((wanted) =>
    [...values].some((v) => wanted.test(v!)) ? [] : [`no series with ${label}${operator}"${value}"`],
  );
}

const alternatives = (operator: string, value: string): RegExp[] =>
  operator.endsWith('~')
    ? value.split('|').map((part) => new RegExp(`^(?:${part})$`))
    : [new RegExp(`^${value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)];
