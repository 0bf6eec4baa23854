import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';

const LIMIT_MS = 90 * 60_000;

it.skipIf(!isAvailable('cluster'))(
  'the chart passes its checks on a real Kubernetes node',
  { timeout: LIMIT_MS },
  async () => {
    const script = join(import.meta.dirname, '..', '..', 'scripts', 'program.mjs');
    const output = await runCommand(process.execPath, [script, 'kubernetes'], { timeoutMs: LIMIT_MS });
    expect(output).toContain(' 0 failed');
  },
);
