import { expect, it } from 'vitest';
import { Acknowledgement } from '../../../../clients/typescript/src/rules/acknowledgement.js';
import { mayPass } from '../../../../clients/typescript/src/rules/failures.js';
import { type ErrorExample, errorOf, kindOf, readExamples } from './examples.js';

interface Step {
  request: number;
  fails: ErrorExample;
  sends: number | null;
  pauseUpToMs?: number;
  stops?: 'silently' | 'withError';
}

const KINDS = {
  request: ['sends'],
  succeeds: ['sends'],
  fails: ['pauseUpToMs', 'stops'],
  pauseEnds: ['sends'],
  closes: [],
} as const;

const STOPS = { silently: 'stop', withError: 'fail' };

/** Executes a step. Returns the sequence that the client acknowledges now. */
function execute(rules: Acknowledgement, step: Step, kind: 'request' | 'succeeds' | 'pauseEnds') {
  if (kind === 'request') return rules.request(BigInt(step.request));
  return kind === 'succeeds' ? rules.succeeded() : rules.pauseEnded();
}

it.each(readExamples<{ steps: Step[] }>('acknowledgement.json', ['steps']))('%s', (_, { steps }) => {
  const rules = new Acknowledgement(
    (error) => mayPass(error, false),
    () => 1,
  );
  for (const step of steps) {
    const kind = kindOf(step, KINDS);
    if (kind === 'closes') rules.close();
    else if (kind === 'fails') {
      const expected = step.stops === undefined ? step.pauseUpToMs : STOPS[step.stops];
      expect(expected).toBeDefined();
      expect(rules.failed(errorOf(step.fails))).toBe(expected);
    } else {
      const sends = step.sends === null ? undefined : BigInt(step.sends);
      expect(execute(rules, step, kind), JSON.stringify(step)).toBe(sends);
    }
  }
});
