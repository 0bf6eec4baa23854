import { describe, expect, it } from 'vitest';
import { BARS, type Bar, judge, neededFor } from '../../bench/bars.js';
import { selects } from '../../bench/options.js';
import { SCENARIOS } from '../../bench/scenarios/all.js';
import { subject } from '../../bench/subjects.js';
import { results, scenario } from './some-results.js';

const ratio: Bar = {
  figure: 'sidecar against spflooder',
  of: { scenario: 's', subject: 'sidecar', figure: 'messages' },
  to: { scenario: 's', subject: 'c', figure: 'messages' },
  unit: '×',
  better: 'more',
  bar: 0.7,
  beyond: 1,
};
const plain: Bar = { ...ratio, to: undefined, unit: 'ms', better: 'less', bar: 1000, beyond: 400 };

const verdict = (bar: Bar, sidecar: readonly (number | undefined)[], c: readonly number[] = []) =>
  judge(results([scenario('s', 'messages', { c, sidecar })]), [bar])[0];

describe('bars', () => {
  it.each([
    [[120, 60, 100], 'beyond'],
    [[80, 35, 70], 'met'],
    [[60, 30, 69], 'missed'],
  ])('a ratio of rounds %j is %s', (sidecar, expected) => {
    expect(verdict(ratio, sidecar, [100, 50, 100])?.verdict).toBe(expected);
  });

  it.each([
    [[1, 399, 400], 'beyond'],
    [[401, 999, 1000], 'met'],
    [[1001], 'missed'],
  ])('where less is better, %j is %s', (values, expected) => {
    expect(verdict(plain, values)?.verdict).toBe(expected);
  });

  it('reports missing measurements instead of judging them', () => {
    expect(verdict(ratio, [100], [])).toMatchObject({ verdict: 'not measured', measured: undefined });
    expect(verdict(plain, [undefined])?.verdict).toBe('not measured');
  });

  it('judges the median of the ratios of each round', () => {
    expect(verdict(ratio, [100, 20, 100], [100, 10, 200])?.measured?.median).toBe(1);
  });

  it.each(BARS.flatMap(({ of, to }) => (to ? [of, to] : [of])))(
    '$scenario measures $figure of $subject',
    ({ scenario: id, subject: measured, figure }) => {
      const found = SCENARIOS.find((one) => one.id === id);
      expect(found?.subjects).toContain(measured);
      expect(found?.figures.map(({ name }) => name)).toContain(figure);
    },
  );

  it('names its requirements as filters that select them', () => {
    const needed = neededFor();
    expect(new Set(needed).size).toBe(needed.length);
    for (const { of } of BARS) expect(selects(needed, of.scenario, of.subject)).toBe(true);
  });
});

describe('scenarios', () => {
  it('have unique names', () => {
    const ids = SCENARIOS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(SCENARIOS)('$id has subjects, also for a quick run', ({ subjects, quickSubjects }) => {
    for (const id of subjects) expect(subject(id).id).toBe(id);
    for (const id of quickSubjects) expect(subjects).toContain(id);
  });
});
