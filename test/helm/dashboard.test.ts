import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { metricGroups } from '../../server/src/observability/metrics/metrics-table.js';
import { chartQueries, charts, dashboard, panels, withIntervals } from '../support/chart/dashboard.js';
import { unknownNames } from '../support/chart/known-metrics.js';
import { parseMetrics } from '../support/chart/metrics-text.js';
import { selectorsOf } from '../support/chart/promql.js';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { adminPage, startWhole } from '../support/sidecars/whole-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';

const queries = [
  ...chartQueries,
  ...dashboard.annotations.list.map(({ name, expr }) => ({ of: `annotation ${name}`, expr })),
].map(({ of, expr }) => ({ of, expr: withIntervals(expr) }));

/** `label_values(selector, label)` of a variable. */
const variables = dashboard.templating.list
  .filter(({ type }) => type === 'query')
  .map(({ name, definition = '' }) => {
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
    return { of: `variable ${name}`, expr: `count by (${label}) (${selector})` };
  });

describe('the dashboard', () => {
  it('is valid for Grafana, and works with any Prometheus data source', () => {
    expect(dashboard.uid).toMatch(/^[a-z-]{1,40}$/);
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace', 'pod']);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { targets = [] } of charts)
      for (const { datasource } of targets) expect(datasource.uid).toBe(`\${datasource}`);
  });

  it('has a row for each topic', () => {
    expect(dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      'Health and daemon',
      'Mailboxes',
      'Traffic',
      'Latency',
      'Queues and slow consumers',
      'Errors',
      'Process',
      'Embedded daemon (development and tests)',
    ]);
  });

  it.each(charts.map((panel) => [panel.title, panel] as const))(
    '%s: is explained, with a unit',
    (_, panel) => {
      expect(panel.description).toMatch(/^[A-Z].*\.$/);
      expect(panel.fieldConfig?.defaults.unit).toBeTruthy();
      expect(panel.targets?.length).toBeGreaterThan(0);
    },
  );

  it('has no overlapping panels', () => {
    const cells = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.get(`${x},${y}`), `what is where ${title} is`).toBeUndefined();
          cells.set(`${x},${y}`, title);
        }
    }
  });

  it('uses only metrics, labels and values of a sidecar', async () => {
    const scraped = parseMetrics((await adminPage(await startWhole(), '/metrics'))!.body);
    for (const { of, expr } of [...queries, ...variables])
      expect(unknownNames(expr, scraped), of).toEqual([]);
    // Grafana shows an empty legend if the legend names no label.
    for (const { title, targets = [] } of charts)
      for (const { expr, legendFormat } of targets)
        for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          expect(unknownNames(`sum by (${label}) (${withIntervals(expr)})`, scraped), title).toEqual([]);
  });

  it('shows only the selected pods', () => {
    for (const { of, expr } of queries)
      for (const { metric, matchers } of selectorsOf(expr.replace(/ and on \(job, instance\).*$/, '')))
        expect(matchers, `${of}: ${metric}`).toEqual(
          expect.arrayContaining([
            { label: 'namespace', operator: '=~', value: '$namespace' },
            { label: 'pod', operator: '=~', value: '$pod' },
          ]),
        );
  });

  it('shows every metric of the sidecar', () => {
    const shown = new Set(
      queries.flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => metric.replace(/_bucket$/, ''))),
    );
    const ours = metricGroups.flatMap(({ rows }) => rows.map(({ name }) => name));
    expect(ours.filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe.skipIf(!isAvailable('promtool'))('promtool', () => {
  const check = async (expressions: readonly { of: string; expr: string }[]) => {
    const file = join(temporaryFolder(), 'queries.yaml');
    const rules = expressions.map(({ of, expr }, at) => ({ record: `query:${at}`, expr, labels: { of } }));
    writeFileSync(file, stringify({ groups: [{ name: 'queries', rules }] }));
    return runCommand('promtool', ['check', 'rules', file]);
  };

  it('accepts every query of the dashboard', async () => {
    expect(await check([...queries, ...variables])).toContain(
      `${queries.length + variables.length} rules found`,
    );
    await expect(check([{ of: 'a query that is none', expr: 'sum by (pod) rate(up[5m])' }])).rejects.toThrow(
      'could not parse expression',
    );
  });
});
