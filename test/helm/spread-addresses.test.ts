import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chart } from '../support/helm.js';
import { freePort } from '../support/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const script = join(chart, 'files', 'spread-addresses.mjs');

/** Starts the script; `before` is what it wrote earlier. */
async function start(template: string, before?: string) {
  const folder = temporaryFolder();
  const output = join(folder, 'spread.conf');
  writeFileSync(join(folder, 'template'), template);
  if (before !== undefined) writeFileSync(output, before);
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, [script, join(folder, 'template'), output, `${port}`], {
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const status = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      (response) => response.status,
      () => undefined,
    );
  return { child, output, status };
}

const answers = async (ask: () => Promise<number | undefined>, expected: number) =>
  until(async () => ((await ask()) === expected ? true : undefined), {
    timeoutMs: 10_000,
    what: `status ${expected}`,
  });

describe('the addresses of Spread daemons in pods', () => {
  it('are written when all are known', async () => {
    const { output, status } = await start('Spread_Segment 127.0.0.255:4803 {\n  a {localhost}\n}\n');
    await answers(() => status('/written'), 200);
    expect(readFileSync(output, 'utf8')).toBe('Spread_Segment 127.0.0.255:4803 {\n  a 127.0.0.1\n}\n');
    // The daemon that starts now reads them: no reason to start it anew.
    expect(await status('/current')).toBe(200);
  });

  it('are not written as long as one is missing', async () => {
    const { output, status } = await start('a {localhost} b {nobody.invalid}');
    await answers(() => status('/written'), 503);
    expect(existsSync(output)).toBe(false);
  });

  it('when one has changed, the daemon is started anew, once', async () => {
    const { output, status } = await start('a {localhost}', 'a 10.0.0.9');
    await until(() => (readFileSync(output, 'utf8') === 'a 127.0.0.1' ? true : undefined), {
      timeoutMs: 10_000,
      what: 'the new address',
    });
    expect([await status('/current'), await status('/current')]).toEqual([503, 200]);
  });

  it('ends at SIGTERM', async () => {
    const { child, status } = await start('a {localhost}');
    await answers(() => status('/written'), 200);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
