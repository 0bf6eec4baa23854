import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../bench/checks/all.js';
import { type Check, isWithin } from '../../bench/checks/check.js';
import { growthOf } from '../../bench/checks/cycles.js';
import { checkOptions, checksUsage } from '../../bench/checks/options.js';
import { comparison, REFRESH_MS } from '../../bench/checks/page.js';
import { runCheck } from '../../bench/checks/run.js';
import { completeness, type StallReceiver } from '../../bench/checks/stall-receiver.js';
import { checkTable } from '../../bench/report/tables.js';

const some: Check = {
  id: 'some',
  text: 'something within a bound',
  options: { rounds: { text: 'number of rounds', default: 3 }, total: { text: 'a size', default: 0 } },
  run: async () => [],
};

describe('the options of a check', () => {
  it('have defaults', () => {
    expect(checkOptions(some, [])).toEqual({ node: process.execPath, numbers: { rounds: 3, total: 0 } });
  });

  it('are numbers and a Node binary', () => {
    const args = ['--rounds', '0.5', '--node', '/opt/node'];
    expect(checkOptions(some, args)).toEqual({ node: '/opt/node', numbers: { rounds: 0.5, total: 0 } });
  });

  it.each([
    [['--rounds', 'many'], '--rounds must be a number of 0 or more; got many'],
    [['--rounds=-1'], '--rounds must be a number of 0 or more; got -1'],
    [['--seconds', '1'], '--seconds'],
  ])('%j is rejected', (args, sentence) => {
    expect(() => checkOptions(some, args)).toThrow(sentence);
  });

  it('are in the usage with their defaults', () => {
    expect(checksUsage([some])).toMatch(
      /some +something within a bound\n +--rounds N: number of rounds \(default 3\)/,
    );
  });
});

describe('a figure of a check', () => {
  it.each([
    [{ value: 5 }, true],
    [{ value: 5, atMost: 5 }, true],
    [{ value: 5.1, atMost: 5 }, false],
    [{ value: 5, atLeast: 5 }, true],
    [{ value: 4.9, atLeast: 5 }, false],
    [{ value: 4, atLeast: 5, atMost: 5 }, false],
    [{ value: Number.NaN, atMost: 5 }, false],
    [{ value: Number.NaN, atLeast: 5 }, false],
  ])('%j: within its bounds: %s', (figure, expected) => {
    expect(isWithin({ name: 'f', unit: '', ...figure })).toBe(expected);
  });

  it('is in the table with its bounds and a verdict', () => {
    const rows = checkTable([
      { name: 'load', value: 1234.5, unit: '1/s' },
      { name: 'exit', value: 2100.4, unit: 'ms', atMost: 2000 },
      { name: 'streams', value: 7, unit: '', atLeast: 7, atMost: 7 },
    ]);
    expect(rows.slice(1)).toEqual([
      ['load', '', '1,235 1/s', ''],
      ['exit', '≤ 2,000 ms', '2,100 ms', 'EXCEEDED'],
      ['streams', '≥ 7, ≤ 7', '7', 'met'],
    ]);
  });
});

describe('the check of the status page', () => {
  const windows = (...p99s: number[]) =>
    p99s.map((p99) => ({ count: 1000, percentile: (p: number) => (p === 0.99 ? p99 : 1) }));

  it.each([
    [[2, 100, 2], [2.1, 2.1, 90], true],
    [[2, 2, 2], [2.2, 2.2, 1], false],
  ])('compares the medians of %j and %j: within the bound: %s', (without, withPage, expected) => {
    const figures = comparison(windows(...without), windows(...withPage));
    expect(figures.every(isWithin)).toBe(expected);
    expect(figures.filter(({ atMost }) => atMost !== undefined)).toHaveLength(1);
  });

  it('refreshes as often as the page', () => {
    const source = readFileSync(new URL('../../../server/page/src/refresher.ts', import.meta.url), 'utf8');
    expect(source).toContain(`const REFRESH_MS = ${REFRESH_MS};`);
  });
});

describe('the figures of checks', () => {
  const resource = { what: 'heap', unit: 'MiB', read: () => 0, bounds: [6, 1] } as const;
  const values = (...heaps: number[]) => {
    const left = [...heaps];
    const read = () => left.shift() as number;
    return growthOf({ ...resource, read }, new Array(heaps.length).fill({}), [1, 2, 3]);
  };

  it('bound the growth since the report before', () => {
    expect(values(10, 15, 16).map(isWithin)).toEqual([true, true, true]);
    expect(values(10, 17, 17).map(isWithin)).toEqual([true, false, true]);
    expect(values(10, 11, 12.1).map(isWithin)).toEqual([true, true, false]);
  });

  it.each([
    [10, 0, true],
    [9, 0, false],
    [11, 0, false],
    [10, 1, false],
  ])('of 10 messages, a receiver has %d with %d gaps: complete: %s', (messages, gaps, expected) => {
    expect(completeness({ messages, gaps } as StallReceiver, 10).every(isWithin)).toBe(expected);
  });
});

describe('the command', () => {
  it('has a check for each id', () => {
    const ids = CHECKS.map(({ id }) => id);
    expect(ids).toEqual(['crowd', 'cycles', 'drain', 'mailboxes', 'page', 'ready', 'requests', 'stall']);
  });

  it.each([
    [['--help'], 0],
    [[], 2],
    [['nothing'], 2],
  ])('with %j prints the usage and exits with %d', async (args, code) => {
    const lines: string[] = [];
    expect(await runCheck(args, (line) => lines.push(line))).toBe(code);
    expect(lines.join('\n')).toContain('--rounds N: number of kills (default 10)');
  });
});
