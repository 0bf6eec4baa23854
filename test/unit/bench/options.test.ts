import { describe, expect, it } from 'vitest';
import { parseOptions, selects } from '../../bench/options.js';
import { choose } from '../../bench/run.js';
import { SCENARIOS } from '../../bench/scenarios/all.js';

const NODES = [{ path: 'node', version: '24.0.0', isFirst: true }];

describe('options of the bench', () => {
  it('are five rounds of two seconds, or one of a tenth for a quick run', () => {
    expect(parseOptions([])).toMatchObject({ rounds: 5, seconds: 2, quick: false, only: [] });
    expect(parseOptions(['--quick'])).toMatchObject({ rounds: 1, seconds: 0.1, quick: true });
    expect(parseOptions(['--quick', '--rounds', '2'])).toMatchObject({ rounds: 2 });
  });

  it('accept filters in a list and one by one', () => {
    expect(parseOptions(['--only', 'a,b/c', '--only', 'd']).only).toEqual(['a', 'b/c', 'd']);
  });

  it.each([
    [['--rounds', '0'], '--rounds must be a number above 0; got 0'],
    [['--rounds', '1.5'], '--rounds must be a whole number; got 1.5'],
    [['--seconds', 'long'], '--seconds must be a number above 0; got long'],
    [['--fast'], '--fast'],
  ])('%j is rejected', (args, sentence) => {
    expect(() => parseOptions(args)).toThrow(sentence);
  });

  it.each([
    ['fan-out-10', 'fan-out-10', 'nats', true],
    ['fan-out-10', 'fan-out-100', 'nats', false],
    ['fan-out-*', 'fan-out-100', 'nats', true],
    ['*/nats', 'churn', 'nats', true],
    ['*/sidecar-*', 'churn', 'nats', false],
    ['churn/nats', 'churn', 'nats', true],
    ['c.urn', 'churn', 'nats', false],
  ])('the filter %s and %s/%s: %s', (filter, scenario, subject, expected) => {
    expect(selects([filter], scenario, subject)).toBe(expected);
  });
});

describe('the measured subjects', () => {
  it('without Spread and the other servers, they are skipped with a reason each', () => {
    const { pairs, skipped } = choose(SCENARIOS, false, ['throughput-100B'], NODES, { PATH: '/nowhere' });
    const ids = pairs.map(({ subject }) => subject.id);
    expect(ids).toContain('sidecar-embedded');
    expect(ids).not.toContain('c-real');
    expect(skipped.find(({ subject }) => subject === 'c-real')?.why).toContain('SPREAD_HOME');
  });

  it('the C wrapper for Python is measured if a variable names it', () => {
    const chosen = (env: NodeJS.ProcessEnv) =>
      choose(SCENARIOS, false, ['module-spread/c-wrapper-*'], NODES, env);
    expect(chosen({ SPREAD_HOME: '/opt/spread' }).skipped[0]?.why).toContain('SPREAD_WRAPPER_PYTHON');
    expect(
      chosen({ SPREAD_WRAPPER_PYTHON: '/usr/bin/python3' }).pairs.map(({ subject }) => subject.id),
    ).toEqual(['c-wrapper-embedded']);
  });

  it('a quick run measures every scenario with quick subjects, or the selected ones', () => {
    const spread = { SPREAD_HOME: '/opt/spread', PATH: '' };
    const all = choose(SCENARIOS, false, [], NODES, spread).pairs.length;
    const quick = choose(SCENARIOS, true, [], NODES, spread).pairs;
    expect(quick.length).toBeLessThan(all / 2);
    const pairs = choose(SCENARIOS, true, ['fan-out-100/session-embedded'], NODES, spread).pairs;
    expect(pairs.map(({ scenario }) => scenario.id)).toEqual(['fan-out-100']);
  });
});
