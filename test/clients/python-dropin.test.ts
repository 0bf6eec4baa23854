import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RealSpread } from '../support/daemons/real-spread.js';
import { RestartableDaemon } from '../support/daemons/restartable-daemon.js';
import { TestAuthority } from '../support/network/certificates.js';
import { isAvailable, pythonCommand } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { put, type SecuredSidecar, startSecured } from '../support/sidecars/secured-sidecar.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const HOME = fileURLToPath(new URL('../../clients/python', import.meta.url));
const PROGRAMS = join(HOME, 'tests', 'programs');

const TOKEN = 'a-token-of-more-than-thirty-two-characters';

/** The last output of each program. Programs that need a partner have their own tests. */
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

/** Environment variables of single programs besides the sidecar's target. */
const SETTINGS: Record<string, Record<string, string>> = { 'port3.py': { SPREAD_CLIENT_TEXT: 'names' } };

const environment = (sidecar: SecuredSidecar) => ({
  ...process.env,
  SPREAD_SIDECAR_TARGET: sidecar.targets[0],
  PYTHONPATH: join(HOME, 'src'),
  PYTHONDONTWRITEBYTECODE: '1',
});

/** A running program for the old wrapper. The test writes to its standard input. */
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
    beforeEach(({ skip }) => skip(title === 'real daemon' && !isAvailable('spread-home')));

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

  it('reconnect.py, when the daemon restarts', async () => {
    const daemon = await RestartableDaemon.start();
    const sidecar = await startSecured({ EMBEDDED_DAEMON: 'false', DAEMON_ADDRESSES: daemon.address });
    const program = start(sidecar, 'reconnect.py');
    await program.prints('joined\n');
    await daemon.stop();
    await program.prints('joined\nlost: -8\n');
    await daemon.start();
    await program.prints('joined\nlost: -8\njoined\n');
    expect(await program.exited).toBe(0);
  }, 60_000);

  it('reconnect.py, when the sidecar restarts', async () => {
    const listen = { GRPC_LISTEN: `127.0.0.1:${await freePort()}` };
    const sidecar = await startSecured(listen);
    const program = start(sidecar, 'reconnect.py');
    await program.prints('joined\n');
    await sidecar.stop();
    await program.prints('joined\nlost: -8\n');
    await startSecured(listen);
    await program.prints('joined\nlost: -8\njoined\n');
    expect(await program.exited).toBe(0);
  }, 60_000);

  describe('classic.py, with options', () => {
    const classic = async (sidecar: SecuredSidecar, args: readonly string[], env = {}) => {
      const command = [join(PROGRAMS, 'classic.py'), ...args, 'one', 'two', 'three'];
      const printed = await runCommand(pythonCommand(), command, {
        env: { ...environment(sidecar), ...env },
      });
      expect(printed).toBe('one (3)\ntwo (3)\nthree (5)\n');
    };

    it('finds the embedded daemon by the name in its code', async () => {
      const port = await freePort();
      await classic(await startSecured({ EMBEDDED_LISTEN: `127.0.0.1:${port}` }), [
        '-s',
        `${port}@localhost`,
      ]);
    }, 60_000);

    it('uses the daemon of the environment variable', async () => {
      const sidecar = await startSecured({});
      await expect(classic(sidecar, [])).rejects.toThrow(
        'can not connect: spread_name 4803@localhost is not allowed: it is neither',
      );
      await classic(sidecar, [], { SPREAD_CLIENT_DAEMON: '' });
    }, 60_000);

    it('over a Unix socket', async () => {
      const sidecar = await startSecured({ GRPC_LISTEN: `unix:${join(temporaryFolder(), 'grpc.sock')}` });
      await classic(sidecar, [], { SPREAD_CLIENT_DAEMON: '' });
    }, 60_000);

    it('over TLS, with a certificate and a token', async () => {
      const authority = await TestAuthority.create();
      const folder = temporaryFolder();
      const file = (name: string, text: string) => put(join(folder, name), text);
      const [server, client] = [await authority.server(), await authority.client('classic')];
      const ca = file('ca.pem', authority.cert);
      const sidecar = await startSecured({
        GRPC_TLS_CERT: file('server.pem', server.cert),
        GRPC_TLS_KEY: file('server.key', server.key),
        GRPC_TLS_CLIENT_CA: ca,
        GRPC_TOKENS: TOKEN,
      });
      const env = {
        SPREAD_CLIENT_DAEMON: '',
        SPREAD_SIDECAR_TLS_CA: ca,
        SPREAD_SIDECAR_TLS_CERT: file('client.pem', client.cert),
        SPREAD_SIDECAR_TLS_KEY: file('client.key', client.key),
        SPREAD_SIDECAR_TOKEN_FILE: file('token', `${TOKEN}\n`),
      };
      await classic(sidecar, ['-u', 'secure'], env);
      file('token', 'x'.repeat(TOKEN.length));
      await expect(classic(sidecar, [], env)).rejects.toThrow('can not connect');
      file('token', TOKEN);
      await expect(
        classic(sidecar, [], { ...env, SPREAD_SIDECAR_TLS_CERT: '', SPREAD_SIDECAR_TLS_KEY: '' }),
      ).rejects.toThrow('can not connect');
    }, 60_000);
  });

  it('all programs are run', () => {
    const others = ['chat.py', 'classic.py', 'dead_daemon.py', 'reconnect.py'];
    expect(readdirSync(PROGRAMS).sort()).toEqual([...Object.keys(ALONE), ...others].sort());
  });
});
