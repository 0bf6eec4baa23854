import { expect, it } from 'vitest';
import { readRuleChecks } from '../../../scripts/rule-checks.mjs';

const checks = readRuleChecks();

it('finds the rules of the page', () => {
  expect(checks.length).toBeGreaterThan(40);
});

it.each(checks.map((one) => [one.rule, one] as const))(
  'an example or a case checks the rule %s',
  (_rule, { examples, cases }) => {
    expect([...examples, ...cases]).not.toEqual([]);
  },
);
