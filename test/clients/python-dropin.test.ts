import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RealSpread } from '../support/real-spread.js';
import { isAvailable, pythonCommand } from '../support/requirements.mjs';
import { RestartableDaemon } from '../support/restartable-daemon.js';
import { runCommand } from '../support/run-command.js';
import { type SecuredSidecar, startSecured } from '../support/secured-sidecar.js';
import { until } from '../support/until.js';

const HOME = fileURLToPath(new URL('../../clients/python', import.meta.url));
const PROGRAMS = join(HOME, 'tests', 'programs');

/** What each prints at last. Those that want somebody at their side have a test of their own. */
const ALONE: Record<string, string> = {
  'select_loop.py': 'all saw 50 messages',
  'reader_thread.py': 'received 200',
  'request_reply.py': '10 * 10 = 100',
  'multi_group.py': 'ok',
  'membership.py': 'ok',
  'errors.py': 'ok',
  'star_import.py': 'ok',
  'port3.py': 'ok',
};

/** What to set for one of them besides the sidecar. */
const SETTINGS: Record<string, Record<string, string>> = { 'port3.py': { SPREAD_CLIENT_TEXT: 'names' } };

const environment = (sidecar: SecuredSidecar) => ({
  ...process.env,
  SPREAD_SIDECAR: sidecar.targets[0],
  PYTHONPATH: join(HOME, 'src'),
  PYTHONDONTWRITEBYTECODE: '1',
});

/** A program of the old wrapper's time, that is talked to. */
function start(sidecar: SecuredSidecar, name: string, ...args: string[]) {
  const child = spawn(pythonCommand(), ['-u', join(PROGRAMS, name), ...args], { env: environment(sidecar) });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text;
    });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    type: (line: string) => child.stdin.write(`${line}\n`),
    end: () => child.stdin.end(),
    prints: (text: string) =>
      until(() => output.includes(text), { what: `'${text}' in: ${output}`, timeoutMs: 15_000 }),
    exited,
  };
}

describe.skipIf(!isAvailable('python'))('programs of the old Python wrapper, unchanged', () => {
  describe.each([
    ['embedded daemon', async () => startSecured({})],
    [
      'real daemon',
      async () => {
        const spread = await RealSpread.start();
        onTestFinished(() => spread.stop());
        return startSecured({ EMBEDDED_DAEMON: 'false', DAEMON_ADDRESSES: spread.unix.path });
      },
    ],
  ] as const)('%s', (title, startSidecar) => {
    beforeEach(({ skip }) => skip(title === 'real daemon' && !isAvailable('spread')));

    it.each(Object.entries(ALONE))(
      '%s',
      async (name, last) => {
        const sidecar = await startSidecar();
        const output = await runCommand(pythonCommand(), [join(PROGRAMS, name)], {
          env: { ...environment(sidecar), ...SETTINGS[name] },
          timeoutMs: 60_000,
        });
        expect(output.trim().split('\n').at(-1)).toBe(last);
      },
      90_000,
    );

    it('chat.py', async () => {
      const sidecar = await startSidecar();
      const alice = start(sidecar, 'chat.py', 'alice', 'room');
      await alice.prints('#alice#localhost joined, now 1');
      const bob = start(sidecar, 'chat.py', 'bob', 'room');
      await alice.prints('#bob#localhost joined, now 2');
      await bob.prints('#bob#localhost joined, now 2');
      alice.type('good morning');
      bob.type('hello');
      for (const chat of [alice, bob]) {
        await chat.prints('#alice#localhost: good morning');
        await chat.prints('#bob#localhost: hello');
      }
      bob.end();
      expect(await bob.exited).toBe(0);
      await alice.prints('#bob#localhost left');
      alice.end();
      expect(await alice.exited).toBe(0);
    }, 90_000);
  });

  it('dead_daemon.py', async () => {
    const daemon = await RestartableDaemon.start();
    const sidecar = await startSecured({ EMBEDDED_DAEMON: 'false', DAEMON_ADDRESSES: daemon.address });
    const program = start(sidecar, 'dead_daemon.py');
    await program.prints('waiting');
    await daemon.stop();
    await program.prints('closed');
    expect(await program.exited).toBe(0);
  }, 60_000);

  it('all of them are run', () => {
    const others = ['chat.py', 'dead_daemon.py'];
    expect(readdirSync(PROGRAMS).sort()).toEqual([...Object.keys(ALONE), ...others].sort());
  });
});
