import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chart } from '../support/chart/helm.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const script = join(chart, 'files', 'spread-supervisor.sh');

/** Runs the supervisor with a shell command that appends a line to `starts` and then runs `body`. */
function supervise(body: string) {
  const folder = temporaryFolder();
  const starts = join(folder, 'starts');
  const request = join(folder, 'restart');
  const child = spawn('sh', [script, request, 'sh', '-c', `echo $$ >> ${starts}; ${body}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  const pids = () => (existsSync(starts) ? readFileSync(starts, 'utf8').trim().split('\n').map(Number) : []);
  const started = (count: number) =>
    until(() => pids().length >= count, { timeoutMs: 10_000, what: `start ${count}` });
  return { child, request, pids, started, output: () => output };
}

describe('the supervisor of a daemon', () => {
  it('restarts the command once when a restart is requested', async () => {
    const { child, request, pids, started, output } = supervise('exec sleep 60');
    await started(1);
    writeFileSync(request, '1\n');
    await started(2);
    expect(output()).toContain('restarting the command');
    const [first, second] = pids();
    expect(() => process.kill(first!, 0)).toThrow();
    process.kill(second!, 0);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(pids()).toHaveLength(2);
  });

  it('does not restart the command for a request from before its start', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'restart'), '7\n');
    const ended = join(folder, 'ended');
    const child = spawn('sh', [
      script,
      join(folder, 'restart'),
      'sh',
      '-c',
      `sleep 3; touch ${ended}; sleep 60`,
    ]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await until(() => existsSync(ended), { timeoutMs: 10_000, what: 'three seconds without a restart' });
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('restarts a command that was killed', async () => {
    const { child, pids, started } = supervise('exec sleep 60');
    await started(1);
    process.kill(pids()[0]!, 'SIGKILL');
    await started(2);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('ends with the exit code of a command that ends five times in a row', { timeout: 20_000 }, async () => {
    const { child, pids } = supervise('exit 3');
    expect(await once(child, 'exit')).toEqual([3, null]);
    expect(pids()).toHaveLength(5);
  });

  it('ends the command at SIGTERM, and then itself, with its exit code', async () => {
    const { child, pids, started } = supervise('trap "exit 4" TERM; while :; do sleep 0.1; done');
    await started(1);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([4, null]);
    expect(() => process.kill(pids()[0]!, 0)).toThrow();
  });
});
