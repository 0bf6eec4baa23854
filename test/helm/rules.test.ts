import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { unknownNames } from '../support/chart/known-metrics.js';
import { parseMetrics } from '../support/chart/metrics-text.js';
import {
  alerts,
  RULES_FILE,
  type Rule,
  recorded,
  ruleFile,
  rules,
} from '../support/chart/prometheus-rules.js';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { adminPage, startWhole } from '../support/sidecars/whole-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TESTS = fileURLToPath(new URL('rules/', import.meta.url));

interface AlertTest {
  readonly alertname: string;
  readonly eval_time: string;
  readonly exp_alerts?: readonly unknown[];
}

interface UnitTests {
  readonly rule_files: readonly string[];
  readonly tests: readonly {
    readonly input_series: readonly { readonly series: string }[];
    readonly alert_rule_test: readonly AlertTest[];
  }[];
}

const files = readdirSync(TESTS).filter((name) => name.endsWith('.test.yaml'));
const unitTests = files.map((name) => ({
  name,
  content: parse(readFileSync(join(TESTS, name), 'utf8')) as UnitTests,
}));

const checksOf = (alert: string) =>
  unitTests.flatMap(({ name, content }) =>
    content.tests.flatMap((test) =>
      test.alert_rule_test.filter(({ alertname }) => alertname === alert).map((check) => ({ name, check })),
    ),
  );

describe('the rules', () => {
  it.each(alerts.map((rule) => [rule.alert, rule] as const))('%s describes itself', (alert, rule) => {
    expect(alert).toMatch(/^SpreadSidecar[A-Z]\w+$/);
    expect(rule.for).toMatch(/^\d+[smh]$/);
    expect(['critical', 'warning', 'info']).toContain(rule.labels?.severity);
    expect(rule.annotations?.summary).toMatch(/\.$/);
    expect(rule.annotations?.description).toMatch(/\.$/);
    const page = readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8');
    expect(rule.annotations?.runbook).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
    expect(page).toContain(`\n### ${alert}\n\n${rule.labels?.severity}. `);
  });

  it('docs/alerts.md explains no unknown alert', () => {
    const page = readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8');
    const explained = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(explained.filter((name) => !alerts.some(({ alert }) => alert === name))).toEqual([]);
  });

  it('no name is repeated', () => {
    const names = rules.map(({ alert, record }) => alert ?? record);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(alerts.length).toBeGreaterThan(20);
  });

  it('use only metrics, labels and values of a sidecar', async () => {
    const scraped = parseMetrics((await adminPage(await startWhole(), '/metrics'))!.body);
    for (const { alert, record, expr } of rules)
      expect(unknownNames(expr, scraped, recorded), alert ?? record).toEqual([]);
    // The unit tests of the rules use only existing metrics, too.
    for (const { name, content } of unitTests)
      for (const { series } of content.tests.flatMap((test) => test.input_series))
        expect(unknownNames(withoutMadeUpValues(series), scraped), name).toEqual([]);
  });

  it('an unknown metric, label or value would be detected', async () => {
    const scraped = parseMetrics((await adminPage(await startWhole(), '/metrics'))!.body);
    expect(unknownNames('rate(spread_sidecar_mailbox[5m]) > 0', scraped)).toEqual([
      'no metric spread_sidecar_mailbox',
    ]);
    expect(unknownNames('sum by (group) (spread_sidecar_mailboxes{status="open"})', scraped)).toEqual([
      'spread_sidecar_mailboxes has no label status',
      'no metric has the label group',
    ]);
    expect(unknownNames('spread_sidecar_mailboxes{state=~"open|shut"}', scraped)).toEqual([
      'spread_sidecar_mailboxes: no series with state=~"open|shut"',
    ]);
    expect(unknownNames('up == 0 and on (job) spread_sidecar_slow_consumer_fill_ratio', scraped)).toEqual([]);
  });
});

describe.skipIf(!isAvailable('promtool'))('promtool', () => {
  it('accepts the rules', async () => {
    expect(await runCommand('promtool', ['check', 'rules', RULES_FILE])).toContain(
      `${rules.length} rules found`,
    );
  });

  it.each(files)('%s passes', async (name) => {
    await runCommand('promtool', ['test', 'rules', join(TESTS, name)]);
  });

  it.each(alerts.map(({ alert }) => alert))(
    '%s has tests that detect when it never fires, always fires or does not wait',
    async (alert) => {
      const checks = checksOf(alert);
      expect(checks.some(({ check }) => (check.exp_alerts ?? []).length > 0)).toBe(true);
      expect(checks.some(({ check }) => (check.exp_alerts ?? []).length === 0)).toBe(true);
      const [name] = checks.map((check) => check.name);
      expect(await outcomeWith(name!, alert, (rule) => rule)).toBe('passed');
      for (const change of [
        { expr: 'vector(0) > 1' },
        { expr: 'vector(1)', labels: { severity: 'none' } },
        { for: '0s' },
      ])
        expect(
          await outcomeWith(name!, alert, (rule) => ({ ...rule, ...change })),
          `${alert} with ${JSON.stringify(change)}`,
        ).toBe('failed');
    },
    // The test runs promtool four times.
    60_000,
  );

  it("finds no problem in a sidecar's metrics", async () => {
    const sidecar = await startWhole();
    const mailbox = await sidecar.sidecar.connect({ privateName: 'metrics' });
    await mailbox.join('some-group', { awaitView: true });
    const { body } = (await adminPage(sidecar, '/metrics'))!;
    expect(body).toContain('spread_sidecar_mailboxes{state="open"} 1');
    expect(await lint(body)).toEqual([]);
    expect(await lint('# TYPE spread_sidecar_calls counter\nspread_sidecar_calls 1\n')).not.toEqual([]);
  });
});

/** The result of a file of unit tests when one alert is changed. */
async function outcomeWith(name: string, alert: string, change: (rule: Rule) => Rule): Promise<string> {
  const folder = temporaryFolder();
  const changed = {
    groups: ruleFile.groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => (rule.alert === alert ? change(rule) : rule)),
    })),
  };
  writeFileSync(join(folder, 'rules.yaml'), stringify(changed));
  const { content } = unitTests.find((file) => file.name === name)!;
  const only = content.tests.filter((test) =>
    test.alert_rule_test.some((check) => check.alertname === alert),
  );
  const file = join(folder, name);
  writeFileSync(file, stringify({ ...content, rule_files: ['rules.yaml'], tests: only }));
  return runCommand('promtool', ['test', 'rules', file]).then(
    () => 'passed',
    (error: Error) => {
      // The file was read, and an expectation failed.
      expect(error.message).toContain('FAILED:');
      expect(error.message).toContain(`alertname: ${alert}`);
      return 'failed';
    },
  );
}

/** The findings of promtool for a page, one per line. promtool exits with 3 when it has findings. */
async function lint(page: string): Promise<string[]> {
  const promtool = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let output = '';
  promtool.stderr.on('data', (chunk) => {
    output += chunk;
  });
  promtool.stdin.end(page);
  const code = await new Promise<number | null>((resolve) => promtool.once('close', resolve));
  expect([0, 3]).toContain(code);
  return output.split('\n').filter((line) => line !== '');
}

/** Addresses, names and versions in the tests are examples. */
const withoutMadeUpValues = (series: string) =>
  series.replace(/(address|mailbox|private_group|version|node)="[^"]*"/g, '$1="$$example"');
