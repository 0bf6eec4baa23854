import { expect, it } from 'vitest';
import { Backoff, LARGEST_READY_MS } from '../../../../clients/typescript/src/rules/backoff.js';
import { kindOf, readExamples } from './examples.js';

interface BackoffExample {
  kind: 'stream' | 'ready';
  steps: { draw: number; pauseMs: number; reset?: true }[];
}

const LARGEST_MS = { stream: undefined, ready: LARGEST_READY_MS };

it.each(readExamples<BackoffExample>('backoff.json', ['kind', 'steps']))('%s', (_, { kind, steps }) => {
  let drawn = 0;
  expect(LARGEST_MS).toHaveProperty(kind);
  const backoff = new Backoff(LARGEST_MS[kind], () => drawn);
  for (const step of steps)
    if (kindOf(step, { draw: ['pauseMs'], reset: [] }) === 'reset') backoff.reset();
    else {
      drawn = step.draw;
      expect(backoff.next()).toBe(step.pauseMs);
    }
});
