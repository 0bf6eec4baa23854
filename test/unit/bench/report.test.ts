import { describe, expect, it } from 'vitest';
import { chart } from '../../bench/report/chart.js';
import { formatNumber, markdownTable, textTable } from '../../bench/report/numbers.js';
import { publish, withFigures } from '../../bench/report/publish.js';
import { scenarioTable } from '../../bench/report/tables.js';
import { markdownReport, textReport } from '../../bench/report/text.js';
import { results, scenario } from './some-results.js';

const throughput = scenario('throughput-100B', 'messages', {
  'c-real': [100_000, 50_000, 110_000],
  'sidecar-real': [80_000, 40_000, undefined],
  nats: [undefined, undefined, undefined],
});

describe('numbers', () => {
  it.each([
    [1234567.8, '1,234,568'],
    [123.4, '123'],
    [12.34, '12.3'],
    [1.234, '1.23'],
    [0, '0.00'],
    [Number.NaN, '–'],
  ])('%d is written as %s', (value, expected) => {
    expect(formatNumber(value)).toBe(expected);
  });

  it('columns are aligned', () => {
    expect(
      textTable([
        ['a', 'long'],
        ['bcd', '1'],
      ]),
    ).toBe('a    long\nbcd     1');
  });

  it('a bar in a cell does not break a Markdown table', () => {
    expect(
      markdownTable([
        ['a', 'b'],
        ['x|y', '1'],
      ]),
    ).toBe('| a | b |\n|---|---:|\n| x\\|y | 1 |');
  });
});

describe('the table of a scenario', () => {
  const rows = scenarioTable(results([throughput]), throughput);

  it('has the median, its spread and the ratio to the first subject, without subjects that were not measured', () => {
    expect(rows[0]).toEqual(['subject', 'messages 1/s', '± MAD', '× c-real', 'busy, % of a core']);
    expect(rows[1]).toEqual(['c-real', '100,000', '10,000', '1.00', 'sender 25']);
    expect(rows[2]).toEqual(['sidecar-real', '60,000', '20,000', '0.80', 'sender 25']);
    expect(rows).toHaveLength(3);
  });
});

describe('the report', () => {
  it('starts with machine, versions, command and rounds', () => {
    const text = textReport(results([throughput]), { bars: true });
    expect(text).toMatch(
      /^Some CPU, 2 cores, 8 GiB, Linux 6\nnode 20.20.2, spread 5.0.1\n.*npm run bench --\n3 rounds/,
    );
    expect(text).toContain('one to one through the sidecar, 100B');
  });

  it('lists skipped and failed subjects with the reason', () => {
    const skipped = [{ subject: 'nats', why: 'nats-server is not installed' }];
    const failures = [{ where: 'churn/redis, round 2', why: 'it broke' }];
    for (const text of [
      textReport(results([], { skipped, failures }), { bars: false }),
      markdownReport(results([], { skipped, failures }), 'chart.svg'),
    ]) {
      expect(text).toContain('skipped: nats: nats-server is not installed');
      expect(text).toContain('FAILED: churn/redis, round 2: it broke');
    }
  });

  it('of a quick run states that its figures are not valid, and is not published', () => {
    const quick = results([throughput], { quick: true });
    expect(textReport(quick, { bars: false })).toContain('Its figures are not valid');
    expect(() => publish(quick, '/nowhere')).toThrow('not published');
  });

  it('replaces the previous report in a page', () => {
    const page =
      'before\n<!-- figures: written by `npm run bench -- --publish` -->\nold\n<!-- end of figures -->\nafter\n';
    const once = withFigures(page, 'new\n');
    expect(once).toContain('before\n');
    expect(once).toContain('\n\nnew\n\n<!-- end of figures -->\nafter\n');
    expect(once).not.toContain('old');
    expect(withFigures(once, 'new')).toBe(once);
    expect(() => withFigures('no marks', 'new')).toThrow('has no marks');
  });
});

describe('the chart', () => {
  const svg = chart(results([throughput]));

  it('has a proportional bar for each measured subject', () => {
    expect(svg.match(/<rect /g)).toHaveLength(3);
    const widths = [...svg.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect((widths[1] ?? 0) / (widths[0] ?? 1)).toBeCloseTo(0.6, 2);
  });

  it('is one SVG document without empty panels', () => {
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(svg.trimEnd().endsWith('</svg>')).toBe(true);
    expect(svg.match(/font-weight="bold"/g)).toHaveLength(1);
  });

  it('escapes names', () => {
    const odd = scenario('throughput-100B', 'messages', { '<a&b>': [1] });
    expect(chart(results([odd]))).toContain('&lt;a&amp;b&gt;');
  });
});

it('the report compares releases of Node with the first release', () => {
  const rounds = { 'sidecar-real': [100, 100, 100], 'sidecar-real@26.0.0': [90, 90, 90] };
  const text = textReport(results([scenario('throughput-100B', 'messages', rounds)]), { bars: false });
  expect(text).toContain('releases of Node');
  expect(text).toMatch(/throughput-100B\/sidecar-real, 1\/s +100 +90(\.0+)? \(0\.90? ×\)/);
});
