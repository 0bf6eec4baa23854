import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chart } from '../support/chart/helm.js';
import { helmUnittest, isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';

describe.skipIf(!isAvailable('helm-unittest'))("the chart's suites by topic", () => {
  it('pass, and all of them run', async () => {
    const output = await runCommand(helmUnittest(), ['--strict', chart]);
    const files = readdirSync(join(chart, 'tests')).filter((name) => name.endsWith('_test.yaml'));
    expect(files.length).toBeGreaterThan(5);
    expect(output).toMatch(new RegExp(`^Test Suites: ${files.length} passed, ${files.length} total$`, 'm'));
  });
});
