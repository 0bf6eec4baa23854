import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, startCli } from '../support/sidecars/cli.js';
import { startCommand } from '../support/sidecars/command-process.js';
import { put, startSecured } from '../support/sidecars/secured-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';
import { sigterm } from './cli-helpers.js';

const ADMIN = 'admin-0123456789abcdef';

describe('the commands for the admin port', () => {
  it('show the state of a sidecar, and follow its events', async () => {
    const sidecar = await startSecured({ ADMIN_TOKEN: ADMIN });
    const file = put(join(temporaryFolder(), 'token'), `${ADMIN}\n`);
    const access = ['--admin', sidecar.admin, '--admin-token-file', file];
    const client = sidecar.client();
    const first = await client.connect({ privateName: 'first' });
    await first.join('orders', { awaitView: true });

    const mailboxes = await cli(['mailboxes', ...access]);
    expect(mailboxes).toMatchObject({ exitCode: 0, stderr: '' });
    expect(mailboxes.stdout).toMatch(/^m1 +#first#\S+ +OPEN +\d+\/\d+ /m);
    const groups = await cli(['groups', ...access, '--filter', 'ord', '--sort=-members', '--limit', '5']);
    expect(groups).toMatchObject({ exitCode: 0, stderr: '' });
    expect(groups.stdout).toMatch(/^orders +1 +1 +\S+Z +JOIN +#first#/m);
    const config = await cli(['config', ...access]);
    expect(config.stdout).toMatch(/^admin\.token +\[redacted\] +environment/m);
    const json = JSON.parse((await cli(['mailboxes', ...access, '--json'])).stdout);
    expect(json).toMatchObject({ schema: 1, total: 1 });
    const wrongOrder = await cli(['mailboxes', ...access, '--sort', 'size']);
    expect(wrongOrder).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('allowed are displayId'),
    });

    const follower = startCli(['events', '--follow', '--json', ...access]);
    await until(() => follower.stdout.includes('mailbox-connected'));
    await first.disconnect();
    await until(() => follower.stdout.includes('mailbox-ended'));
    follower.stop(sigterm);
    expect(await follower.exitCode).toBe(0);
    const events = follower.stdout.trimEnd().split('\n');
    expect(events.map((line) => JSON.parse(line).sequence)).toEqual(events.map((_, at) => at + 1));
  });

  it('explain a missing token and a gRPC port', async () => {
    const sidecar = await startSecured({ ADMIN_TOKEN: ADMIN });
    const without = await cli(['events', '--admin', sidecar.admin]);
    expect(without).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('--admin-token-file') });
    const grpc = await cli(['events', '--admin', sidecar.targets[0]!]);
    expect(grpc.exitCode).toBeGreaterThan(2);
    expect(grpc.stderr).toContain('--admin');
  });

  it('exit by themselves as a process', async () => {
    const sidecar = await startSecured({});
    const command = startCommand('mailboxes', '--admin', sidecar.admin);
    expect(await command.exited()).toBe(0);
    expect(command.written.stdout).toMatch(/^ID +PRIVATE GROUP/);
  });
});
