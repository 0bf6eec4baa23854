import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const MIB = 1024 * 1024;
const MODULE = new URL('../../../server/src/memory/young-generation.ts', import.meta.url).href;

/** Keeps the last 60,000 of two million small objects, as a flood of calls does, and prints the largest size. */
const FLOOD = `
  const { limitYoungGeneration, youngGenerationBytes } = await import('${MODULE}');
  limitYoungGeneration();
  let kept = [];
  let largest = 0;
  for (let turn = 0; turn < 1000; turn++) {
    for (let i = 0; i < 2000; i++) kept.push({ turn, list: [i, i, i] });
    if (kept.length > 60_000) kept = kept.slice(30_000);
    largest = Math.max(largest, youngGenerationBytes());
    await new Promise(setImmediate);
  }
  console.log(largest);`;

it('the young generation of a limited process stays at 24 MiB or less in a flood of small objects', () => {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', FLOOD];
  const largest = Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(24 * MIB);
});
