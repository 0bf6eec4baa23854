import { describe, expect, it, onTestFinished } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { check } from './checker.js';
import type { DaemonChoice } from './daemons.js';
import { count, noFigures, summary, sumOf } from './figures.js';
import { runRound } from './round.js';
import { startWorld } from './world.js';

const PATIENCE_MS = 120_000;

/** A short round with faults of processes or of the network between daemons. */
async function round(daemon: DaemonChoice): Promise<void> {
  const world = await startWorld({ daemon, apps: 3 });
  onTestFinished(() => world.stop());
  const history = await runRound(world, {
    seed: 1,
    round: 0,
    messages: 800,
    faults: 15,
    maxMs: PATIENCE_MS / 2,
    leaseMs: 5000,
    groups: 2,
    lanes: 1,
    pace: { least: 50, most: 300 },
  });
  expect(check(history.entries)).toEqual([]);
  expect(world.defects).toEqual([]);
  const figures = noFigures();
  count(figures, history.entries);
  const ofTheWorld = Object.entries(figures.faults).filter(([name]) => /process|network/.test(name));
  expect(sumOf(Object.fromEntries(ofTheWorld)), summary(figures, 0)).toBeGreaterThan(0);
}

describe('when processes are killed and paused, all guarantees hold', () => {
  it('by a sidecar at an embedded daemon', () => round('process'), PATIENCE_MS);
});

describe.skipIf(!isAvailable('spread-cluster'))(
  'when real daemons lose each other, all promises are kept',
  () => {
    it('by the sidecars of two', () => round({ cluster: 2 }), PATIENCE_MS);
  },
);
