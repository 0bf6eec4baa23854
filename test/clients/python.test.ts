import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Client, type Command, clients } from '../../scripts/clients/index.mjs';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const python = clients.find(({ language }) => language === 'python') as Required<Client>;

const run = ({ command, args, cwd, env }: Command, more: Record<string, string> = {}) =>
  runCommand(command, args, { cwd, env: { ...process.env, ...env, ...more } });

/** An example that reads its standard input. */
function start({ command, args, cwd, env }: Command) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const program = { child, printed: '', code: undefined as number | null | undefined };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      program.printed += text;
    });
  child.once('close', (code) => {
    program.code = code;
  });
  return program;
}

async function sidecarTargets(): Promise<readonly string[]> {
  const socket = join(temporaryFolder(), 'grpc.sock');
  return (await startSecured({ GRPC_LISTEN: `127.0.0.1:0,unix:${socket}` })).targets;
}

describe.skipIf(!isAvailable('python'))('the Python client', () => {
  beforeAll(() => python.prepare(), 60_000);

  it('passes its own tests and mypy', async () => {
    const [target = ''] = await sidecarTargets();
    const printed = await run(python.test(), { SPREAD_SIDECAR_TARGET: target });
    expect(printed).toMatch(/^\d+ passed in /m);
  }, 240_000);

  it('has examples that run, over TCP and a Unix socket', async () => {
    for (const target of await sidecarTargets()) {
      expect(await run(python.example('hello', [target]))).toBe(
        '#hello#localhost to greetings: hello, group (type 7)\n',
      );
      const membership = await run(python.example('membership', [target]));
      expect(membership.split('\n')).toEqual([
        'now: #watcher#localhost',
        'JOIN #watcher#localhost -> #watcher#localhost I am 0',
        '  together: #watcher#localhost (with me)',
        ...['LEAVE', 'DISCONNECT'].flatMap((way) => [
          'JOIN #guest#localhost -> #guest#localhost, #watcher#localhost I am 1',
          '  together: #guest#localhost (with me)',
          `${way} #guest#localhost -> #watcher#localhost I am 0`,
          '  together: #guest#localhost (with me)',
        ]),
        'left members',
        '',
      ]);
    }
  }, 60_000);

  it('has workers that do each job once, also when one leaves', async () => {
    const [target = ''] = await sidecarTargets();
    const lines = (await run(python.example('workers', [target]))).trim().split('\n');
    const done = lines.map((line) => /^job (\d+) was done by #worker\d#localhost$/.exec(line)?.[1]);
    expect(done.map(Number).sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
    expect(lines.filter((line) => line.includes('#worker0#'))).toHaveLength(2);
  }, 30_000);

  it('has a service that replies to a request', async () => {
    const [target = ''] = await sidecarTargets();
    expect(await run(python.example('prices', [target]))).toBe(
      'tea costs 5 EUR\ncomplete: True left: () missing: ()\n',
    );
  }, 30_000);

  it('has a chat', async () => {
    const [target = ''] = await sidecarTargets();
    const ann = start(python.example('chat', [target, 'ann']));
    await until(() => ann.printed.includes('* #ann#localhost came'), { timeoutMs: 10_000 });
    const bob = start(python.example('chat', [target, 'bob']));
    await until(() => ann.printed.includes('* #bob#localhost came'), { timeoutMs: 10_000 });
    bob.child.stdin.end('hello, ann\n');
    await until(() => ann.printed.includes('* #bob#localhost went'), { timeoutMs: 10_000 });
    ann.child.stdin.end();
    await until(() => ann.code !== undefined && bob.code !== undefined, { timeoutMs: 10_000 });
    expect([ann.code, bob.code]).toEqual([0, 0]);
    expect(ann.printed.split('\n').slice(1, 4)).toEqual([
      '* #bob#localhost came',
      '#bob#localhost: hello, ann',
      '* #bob#localhost went',
    ]);
  }, 30_000);
});
