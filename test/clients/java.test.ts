import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Client, type Command, clients } from '../../scripts/clients/index.mjs';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const java = clients.find(({ language }) => language === 'java') as Required<Client>;

const run = ({ command, args, cwd, env }: Command, more: Record<string, string> = {}) =>
  runCommand(command, args, { cwd, env: { ...process.env, ...env, ...more } });

async function sidecarTargets(): Promise<readonly string[]> {
  const socket = join(temporaryFolder(), 'grpc.sock');
  return (await startSecured({ GRPC_LISTEN: `127.0.0.1:0,unix:${socket}` })).targets;
}

describe.skipIf(!isAvailable('java'))('the Java client', () => {
  // A first build downloads its packages.
  beforeAll(() => java.prepare(), 600_000);

  it('passes its own tests', async () => {
    const [target = ''] = await sidecarTargets();
    const printed = await run(java.test(), { SPREAD_SIDECAR_TARGET: target });
    expect(printed).toMatch(/Tests run: (\d{2,}), Failures: 0, Errors: 0, Skipped: 0/);
  }, 400_000);

  it('has examples that run, over TCP and a Unix socket', async () => {
    for (const target of await sidecarTargets()) {
      expect(await run(java.example('hello', [target]))).toBe(
        '#hello#localhost to greetings: hello, group\n',
      );
      expect(await run(java.example('prices', [target]))).toBe('tea costs 5 EUR\ncomplete: true, left: []\n');
      expect((await run(java.example('membership', [target]))).trim().split('\n')).toEqual([
        'JOIN [#watcher#localhost] -> [#watcher#localhost], I am 0',
        ...['LEAVE', 'DISCONNECT'].flatMap((way) => [
          'JOIN [#guest#localhost] -> [#guest#localhost, #watcher#localhost], I am 1',
          `${way} [#guest#localhost] -> [#watcher#localhost], I am 0`,
        ]),
      ]);
    }
  }, 60_000);

  it('has workers that do each job once, also when one leaves', async () => {
    const [target = ''] = await sidecarTargets();
    const lines = (await run(java.example('workers', [target]))).trim().split('\n');
    const done = lines.map((line) => Number(/^job (\d+) was done by #worker\d#localhost$/.exec(line)?.[1]));
    expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  }, 60_000);

  it('has a chat', async () => {
    const [target = ''] = await sidecarTargets();
    const { command, args, cwd } = java.example('chat', [target, 'alice', 'room']);
    const chat = spawn(command, args, { cwd });
    onTestFinished(() => void chat.kill('SIGKILL'));
    let printed = '';
    for (const stream of [chat.stdout, chat.stderr])
      stream.on('data', (text) => {
        printed += text;
      });
    const exited = new Promise((resolve) => chat.once('close', resolve));
    await until(() => printed.includes('JOIN [#alice#localhost], now 1'), { timeoutMs: 15_000 });
    chat.stdin.write('good morning\n');
    await until(() => printed.includes('#alice#localhost: good morning'), { timeoutMs: 15_000 });
    chat.stdin.end();
    expect(await exited).toBe(0);
  }, 60_000);
});
