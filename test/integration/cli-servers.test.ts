import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGREED_MESS } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { Session } from '../../server/src/spread/session.js';
import { sidecarAt } from '../support/clients/client.js';
import { cli, startCli } from '../support/sidecars/cli.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';
import { listener, sigterm } from './cli-helpers.js';

describe('daemon', () => {
  const conf = `Spread_Segment 127.0.0.255:PORT {
  node1 127.0.0.1
  node2 127.0.0.2
}
MaxSessionMessages = 77
EventLogFile = /tmp/spread.log
`;

  it('runs the daemon of a spread.conf, and reports ignored settings', async () => {
    const port = await freePort();
    const file = join(temporaryFolder(), 'spread.conf');
    writeFileSync(file, conf.replace('PORT', String(port)));
    const socket = join(temporaryFolder(), 'socket');
    const running = startCli(['daemon', '-n', 'node1', '-c', file, '--socket', socket]);
    await until(() => running.stdout.includes('is ready'));
    expect(running.stdout).toContain(
      `Spread daemon node1 (embedded, a single node) is ready: ${port}@127.0.0.1, ${socket}`,
    );
    for (const text of [`${file}:3: ignored: daemon 'node2'`, `${file}:6: ignored: EventLogFile`])
      expect(running.stderr).toContain(text);
    for (const address of [`${port}@127.0.0.1`, socket]) {
      const session = await Session.connect({ address, privateName: 'bob' });
      expect(session.privateGroup).toBe('#bob#node1');
      session.start({ onMessage() {}, onClose() {} });
      await session.disconnect();
    }
    await until(() => running.stdout.match(/- #bob#node1 \(disconnect\)/g)?.length === 2);
    expect(running.stdout).toContain('+ #bob#node1 (unix, Spread 5.0.1)');
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });

  it('accepts flags, and serves a sidecar', async () => {
    const running = startCli(['daemon', '-p', '0', '-n', `d-${randomBytes(2).toString('hex')}`, '-q']);
    await until(() => running.stdout.includes('is ready'));
    const address = /ready: (\S+)/.exec(running.stdout)?.[1] as string;
    const sidecar = await startSidecar({ daemons: [address] });
    const mailbox = await sidecarAt(sidecar.target).connect({ privateName: 'eve' });
    await mailbox.join('g', { awaitView: true });
    await mailbox.multicast(AGREED_MESS, 'g', 'x');
    expect(mailbox.privateGroup).toMatch(/^#eve#d-/);
    await mailbox.disconnect();
    expect(running.stdout).not.toContain('eve');
  });

  it('names a port in use', async () => {
    const { port } = await listener();
    const { exitCode, stderr } = await cli(['daemon', '-p', String(port), '--socket', 'off']);
    expect(exitCode).toBe(7);
    expect(stderr).toContain(`127.0.0.1:${port} (--port, --listen) is in use by another process`);
  });
});

describe('serve', () => {
  it('prints its address and example commands, and drains at a signal', async () => {
    const args = [
      'serve',
      '--embedded-daemon',
      '--embedded-listen',
      '127.0.0.1:0',
      '--embedded-socket',
      'off',
    ];
    const running = startCli([
      ...args,
      '--grpc-listen',
      '127.0.0.1:0',
      '--admin-listen',
      '127.0.0.1:0',
      '--log-level',
      'silent',
      '--log-format',
      'pretty',
    ]);
    await until(() => running.stdout.includes('npx spread-sidecar send'));
    const target = /gRPC +(\S+)/.exec(running.stdout)?.[1] as string;
    expect(running.stdout).toMatch(/^spread-sidecar \d+\.\d+\.\d+ is ready\n/);
    expect(running.stdout).toMatch(/admin +http:\/\/127\.0\.0\.1:\d+ /);
    expect(running.stdout).toMatch(/daemon +\d+@127\.0\.0\.1 \(embedded/);
    expect(running.stdout).toContain(`npx spread-sidecar user -t ${target}\n`);
    const { exitCode } = await cli(['healthcheck', '-t', target, '-d']);
    expect(exitCode).toBe(0);
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
    expect(running.stderr).toBe('');
  });

  it.each([
    ['/nowhere/token', /is not readable/],
    ['/dev/null', /no credential|no token/],
  ])('names an invalid token file: %s', async (path, sentence) => {
    const nobody = `${await freePort()}@127.0.0.1`;
    const args = [
      'serve',
      '--daemon-addresses',
      nobody,
      '--grpc-listen',
      '127.0.0.1:0',
      '--admin-listen',
      'off',
    ];
    const { exitCode, stderr } = await cli([...args, '--admin-token-file', path]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('prints for which daemon it waits, and how to run the embedded one', async () => {
    const nobody = `${await freePort()}@127.0.0.1`;
    const args = [
      'serve',
      '--daemon-addresses',
      nobody,
      '--grpc-listen',
      '127.0.0.1:0',
      '--admin-listen',
      'off',
    ];
    const running = startCli([...args, '--log-format', 'pretty']);
    await until(() => running.stdout.includes('send cats'));
    expect(running.stdout).toContain(`is started and waiting for the Spread daemon at ${nobody}\n`);
    expect(running.stdout).toMatch(/daemon {2}.* \(no response yet: .*ECONNREFUSED/);
    expect(running.stdout).toContain('  npx spread-sidecar serve --embedded-daemon\n');
    // Clients of this machine cannot connect yet, and the banner reports that.
    const target = /gRPC +(\S+)/.exec(running.stdout)?.[1] as string;
    expect((await cli(['send', 'g', '-m', 'x', '-t', target])).exitCode).toBe(3);
    await until(() => running.stderr.includes('still waiting for the Spread daemon'), { timeoutMs: 15_000 });
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });

  it('prints ready in the banner if a real daemon responds', async () => {
    const { daemonAddress } = await startSidecar();
    const args = ['serve', '--daemon-addresses', daemonAddress, '--grpc-listen', '127.0.0.1:0'];
    const running = startCli([...args, '--admin-listen', 'off', '--log-format', 'pretty']);
    await until(() => running.stdout.includes('send cats'));
    expect(running.stdout).toMatch(/^spread-sidecar \S+ is ready\n/);
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });
});
