import { createServer, type ListenOptions, connect as openSocket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Interruption } from '../../server/src/cli/terminal/interruption.js';
import { cli, startCli } from '../support/sidecars/cli.js';
import { freePort } from '../support/sidecars/serve-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
const sigterm = new Interruption('SIGTERM', 143);

/** A listener of another process. */
async function occupy(where: ListenOptions): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(where, resolve));
  onTestFinished(() => void server.close());
}

const reaches = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = openSocket(port, host, () => resolve(true)).on('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

const embedded = ['--embedded-daemon', '--embedded-listen', '127.0.0.1:0', '--embedded-socket', 'off'];

describe.runIf(hasIpv6)('IPv4 and IPv6 with one port', () => {
  it.each([
    ['0.0.0.0', '[::]'],
    ['[::]', '127.0.0.1'],
    ['127.0.0.1', '[::1]'],
  ])('serve listens on %s and %s, and check reports both as free', async (one, other) => {
    const port = await freePort();
    const listen = `${one}:${port},${other}:${port}`;
    const args = ['--grpc-listen', listen, '--insecure', '--admin-listen', 'off', ...embedded];
    const { exitCode, stdout } = await cli(['check', ...args]);
    expect({ exitCode, free: stdout.match(/is free/g)?.length }).toEqual({ exitCode: 0, free: 3 });
    const running = startCli(['serve', '--log-format', 'pretty', ...args]);
    await until(() => running.stdout.includes('is ready'));
    expect([await reaches('127.0.0.1', port), await reaches('::1', port)]).toEqual([true, true]);
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });

  it('[::] also accepts IPv4 connections', async () => {
    const port = await freePort();
    const args = ['--grpc-listen', `[::]:${port}`, '--insecure', '--admin-listen', 'off', ...embedded];
    const running = startCli(['serve', '--log-format', 'pretty', ...args]);
    await until(() => running.stdout.includes('is ready'));
    expect([await reaches('127.0.0.1', port), await reaches('::1', port)]).toEqual([true, true]);
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });

  it('the daemon also listens on both', async () => {
    const port = await freePort();
    const args = ['daemon', '-p', String(port), '--listen', '0.0.0.0', '::', '--socket', 'off'];
    const running = startCli(args);
    await until(() => running.stdout.includes('is ready'));
    expect([await reaches('127.0.0.1', port), await reaches('::1', port)]).toEqual([true, true]);
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });
});

describe('addresses that exclude each other', () => {
  it.each<[string[], RegExp]>([
    [
      ['--grpc-listen', '0.0.0.0:7001,127.0.0.1:7001'],
      /0\.0\.0\.0:7001 includes 127\.0\.0\.1:7001: remove one/,
    ],
    [['--grpc-listen', '[::1]:7001,[::]:7001'], /\[::\]:7001 includes \[::1\]:7001: remove one/],
    [['--grpc-listen', '[::1]:7001,[0:0::1]:7001'], /item 2: it occurs twice/],
    [
      ['--grpc-listen', '[::]:7001', '--admin-listen', '127.0.0.1:7001'],
      /grpc\.listen \[::\]:7001 includes admin\.listen 127\.0\.0\.1:7001: give them different ports/,
    ],
    [
      ['--grpc-listen', '127.0.0.1:7001', '--embedded-daemon', '--embedded-listen', '0.0.0.0:7001'],
      /embedded\.listen 0\.0\.0\.0:7001 includes grpc\.listen 127\.0\.0\.1:7001/,
    ],
    [
      ['--grpc-listen', 'unix:/tmp/7001', '--embedded-daemon', '--embedded-listen', '127.0.0.1:7001'],
      /embedded\.socket and grpc\.listen both have the address unix:\/tmp\/7001/,
    ],
  ])('%j: check and serve name both', async (args, sentence) => {
    for (const command of ['check', 'serve']) {
      const { exitCode, stderr } = await cli([command, '--insecure', ...args]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(sentence) });
    }
  });

  it('names resolve to the same address: check and serve name the other flag, not another process', async () => {
    const port = await freePort();
    const args = ['--grpc-listen', `127.0.0.1:${port}`, '--admin-listen', `localhost:${port}`, ...embedded];
    // If localhost resolves to ::1, both work.
    if ((await cli(['check', ...args])).exitCode === 0) return;
    const checked = await cli(['check', ...args]);
    expect(checked.exitCode).toBe(7);
    expect(checked.stdout).toContain(
      `FAIL admin: localhost:${port} (--admin-listen) is also an address of --grpc-listen (127.0.0.1:${port})`,
    );
    const { exitCode, stderr } = await cli(['serve', ...args]);
    expect(exitCode).toBe(7);
    expect(stderr).toContain(`is also an address of --grpc-listen (127.0.0.1:${port})`);
    expect(stderr).not.toContain('another');
  });
});

describe('addresses in use', () => {
  it('a second sidecar names all occupied addresses with their flags, and that a sidecar may be running', async () => {
    const socket = join(temporaryFolder(), 'spread');
    const [grpc, admin, daemon] = [await freePort(), await freePort(), await freePort()];
    const args = [
      ...['serve', '--log-format', 'pretty', '--embedded-daemon', '--embedded-listen', `127.0.0.1:${daemon}`],
      ...['--embedded-socket', socket, '--grpc-listen', `127.0.0.1:${grpc}`],
      ...['--admin-listen', `127.0.0.1:${admin}`],
    ];
    const running = startCli(args);
    await until(() => running.stdout.includes('is ready'));
    const { exitCode, stdout, stderr } = await cli(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: '' });
    expect(stderr).toBe(
      [
        'error: cannot listen on 4 addresses:',
        `  127.0.0.1:${grpc} (--grpc-listen) is in use by another process`,
        `  127.0.0.1:${admin} (--admin-listen) is in use by another process`,
        `  127.0.0.1:${daemon} (--embedded-listen) is in use by another process`,
        `  ${socket} (--embedded-socket) is in use by another process`,
        'another sidecar or Spread daemon may already be running: stop that process, or set other addresses with --grpc-listen, --admin-listen, --embedded-listen, --embedded-socket (port 0 selects a free port)',
        '',
      ].join('\n'),
    );
    // The first sidecar continues.
    expect((await cli(['healthcheck', '-t', `127.0.0.1:${grpc}`, '-d'])).exitCode).toBe(0);
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });

  it('a single occupied address is named together with other problems', async () => {
    const port = await freePort();
    await occupy({ host: '127.0.0.1', port });
    const one = await cli([
      'serve',
      ...embedded,
      '--grpc-listen',
      `127.0.0.1:${port}`,
      '--admin-listen',
      'off',
    ]);
    expect(one.exitCode).toBe(7);
    expect(one.stderr).toContain(
      `error: cannot listen: 127.0.0.1:${port} (--grpc-listen) is in use by another process; another sidecar`,
    );
    const args = [
      'serve',
      ...embedded,
      '--grpc-listen',
      `127.0.0.1:${port}`,
      '--admin-listen',
      '192.0.2.1:0',
    ];
    const two = await cli(args);
    expect(two.stderr).toContain(`127.0.0.1:${port} (--grpc-listen) is in use by another process`);
    expect(two.stderr).toContain(
      '192.0.2.1:0 (--admin-listen) is not usable: this machine does not have that address',
    );
  });

  it('a second daemon names its port and its socket', async () => {
    const socket = join(temporaryFolder(), 'spread');
    const args = ['daemon', '-p', String(await freePort()), '--socket', socket];
    const running = startCli(args);
    await until(() => running.stdout.includes('is ready'));
    const { exitCode, stderr } = await cli(args);
    expect(exitCode).toBe(7);
    expect(stderr).toMatch(
      /127\.0\.0\.1:\d+ \(--port, --listen\) is in use by another process\n {2}.*\(--socket\) is in use/,
    );
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });
});
