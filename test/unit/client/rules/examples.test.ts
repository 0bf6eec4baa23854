import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EXAMPLES } from './examples.js';

it('every file of examples has a test', () => {
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.json'));
  const tests = readdirSync(new URL('.', import.meta.url)).map((name) => name.replace('.test.ts', '.json'));
  expect(files.length).toBeGreaterThan(0);
  expect(tests).toEqual(expect.arrayContaining(files));
});
