import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { metricsPage } from '../../../../server/src/observability/metrics/metrics-page.js';
import {
  HANDLING_BUCKETS,
  metricGroups,
} from '../../../../server/src/observability/metrics/metrics-table.js';

const rows = metricGroups.flatMap((group) => group.rows);

// The rules of `promtool check metrics`.
describe.each(rows)('$name', ({ name, type, labels, help, details = '', buckets }) => {
  it('has a name in snake case with one of our prefixes', () => {
    expect(name).toMatch(/^(grpc_server|spread_sidecar)(_[a-z][a-z0-9]*)+$/);
  });

  it('ends in _total exactly if it is a counter, and in no suffix that Prometheus makes itself', () => {
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/_(count|sum|bucket)$/);
  });

  it('has base units, at the end', () => {
    expect(name).not.toMatch(
      /_(ms|milliseconds|microseconds|nanoseconds|minutes|hours|kib|mib|kilobytes|megabytes|percent|b|s)(_|$)/,
    );
    if (/bytes|seconds|ratio/.test(name)) expect(name).toMatch(/_(bytes|seconds|ratio)(_total)?$/);
  });

  it('does not name its type or its labels', () => {
    expect(name).not.toMatch(/_(gauge|counter|histogram|summary|metric)(_|$)/);
    for (const label of labels) expect(name).not.toContain(`_by_${label}`);
  });

  it('has labels in snake case that are not reserved', () => {
    for (const label of labels) {
      expect(label).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(['le', 'quantile', 'job', 'instance']).not.toContain(label);
    }
    expect(labels).not.toContain('group');
  });

  it('has a help text of one sentence, with further sentences in the details', () => {
    expect(help).toMatch(/^[A-Z][^\n]*\.$/);
    expect(help).not.toMatch(/[.:;] [A-Z]/);
    expect(details).toMatch(/^$|^[A-Z].*\.$/);
  });

  it('has rising buckets exactly if it is a histogram', () => {
    expect(buckets !== undefined).toBe(type === 'histogram');
    expect(buckets).toEqual(buckets && [...buckets].sort((a, b) => a - b));
  });
});

describe('the table', () => {
  it('has each name once', () => expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length));

  it('has buckets that rise from 0.1 ms', () => {
    expect(HANDLING_BUCKETS[0]).toBe(0.0001);
    expect(HANDLING_BUCKETS).toEqual([...HANDLING_BUCKETS].sort((a, b) => a - b));
  });

  it('docs/metrics.md is generated from it (else: npm run gen)', () => {
    const page = new URL('../../../../docs/metrics.md', import.meta.url);
    expect(readFileSync(page, 'utf8')).toBe(metricsPage());
  });
});
