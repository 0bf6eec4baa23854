import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faketimeLibrary, isAvailable } from '../support/requirements.mjs';
import type { Case } from './case-format.js';
import type { DriverProcess } from './driver-process.js';
import { runCase } from './run-case.js';
import { setScriptedStage } from './scripted.js';
import { closeAll, type Start, titleOf } from './suite-parts.js';
import { Variables } from './variables.js';

/** The cases wait most of the time, so that many can run at the same time. Unit: ms. */
const CASE_MS = 60_000;

/** Why the clock of a process cannot be changed in a language. Unit tests check the clocks of all clients in their code. */
const WITHOUT_STEPS: Readonly<Record<string, string>> = {
  go: 'Go reads the clock of the machine without the C library',
  java: 'Java hangs with libfaketime',
};

/** The cases with a scripted sidecar. All run concurrently, most of them in one driver. */
export function describeScriptedCases(
  cases: readonly Case[],
  start: Start,
  { language, lacks = [] }: { language: string; lacks?: readonly string[] | undefined },
): void {
  describe('scripted sidecar', () => {
    let shared: DriverProcess;
    beforeAll(async () => {
      shared = await start();
    }, 60_000);
    afterAll(async () => {
      expect(await shared?.stop(), 'exit code of the driver').toBe(0);
    }, 30_000);

    const isLacking = ({ feature }: Case) => lacks.includes(feature);
    it.skip.each(cases.filter(isLacking).map(titleOf))('%s (not yet in this client)', () => {});
    it.concurrent.for(
      cases.filter((one) => !isLacking(one)).map((one, i) => [titleOf(one), one, `${i}:`] as const),
    )('%s', { timeout: CASE_MS }, async ([_title, one, scope], { skip }) => {
      const { driver } = one.setup;
      if (driver === 'steppable') {
        if (language in WITHOUT_STEPS) skip(WITHOUT_STEPS[language]);
        if (!isAvailable('faketime')) skip('libfaketime is not installed');
      }
      if (driver === undefined) {
        await runScripted(one, scope, shared);
        return;
      }
      const clock = driver === 'steppable' ? new SteppableClock() : undefined;
      const own = await start(clock?.environment);
      try {
        await runScripted(one, scope, own, clock);
      } finally {
        own.kill();
        clock?.remove();
      }
    });
  });
}

/** A clock of the machine that a case changes for one process. The monotonic clock continues unchanged. */
class SteppableClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'clock-'));
  readonly #file = join(this.#folder, 'offset');

  constructor() {
    this.set(0);
  }

  get environment(): Record<string, string> {
    return {
      LD_PRELOAD: faketimeLibrary() as string,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // Unit: s. Without a cache, the process would read the file for each time, which is slow.
      FAKETIME_CACHE_DURATION: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets the difference from the real clock. */
  set(seconds: number): void {
    // The process must never read a file without content.
    writeFileSync(`${this.#file}.new`, `${seconds < 0 ? '' : '+'}${seconds}`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function runScripted(
  one: Case,
  scope: string,
  driver: DriverProcess,
  clock?: SteppableClock,
): Promise<void> {
  const variables = new Variables();
  const stage = await setScriptedStage(one, variables, { driver, clock });
  const sidecar = `${scope}s`;
  try {
    if (one.open) {
      const opened = await driver.request('open', { sidecar, target: variables.get('target') }).answer;
      expect(opened).toEqual({ ok: {} });
    }
    await runCase(one, driver, variables, {
      scope,
      act: (action, args) => stage.act(action, args),
      release: () => stage.release(),
    });
  } finally {
    await stage.release();
    await closeAll(driver, [sidecar]);
    await stage.stop();
  }
}
