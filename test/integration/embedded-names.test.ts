import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

it('the embedded daemon is reachable by all of its names, which Spread programs contain', async () => {
  const port = await freePort();
  const socket = join(temporaryFolder(), 'spread');
  const sidecar = await startSecured({ EMBEDDED_LISTEN: `127.0.0.1:${port}`, EMBEDDED_SOCKET: socket });
  const client = sidecar.client();
  for (const spreadName of ['', `${port}@localhost`, `${port}@LOCALHOST`, `${port}@127.0.0.1`, socket]) {
    const mailbox = await client.connect({ spreadName, privateName: 'same' });
    expect(mailbox.privateGroup).toBe('#same#localhost');
    await mailbox.disconnect();
  }
  for (const spreadName of [`${port - 1}@localhost`, `${port}@localhost.example`, `${port}@127.0.0.2`])
    await expect(client.connect({ spreadName })).rejects.toMatchObject({ reason: 'DAEMON_NOT_ALLOWED' });
});

it('the embedded daemon with only a Unix socket has no TCP name', async () => {
  const client = (await startSecured({})).client();
  await expect(client.connect({ spreadName: '4803@localhost' })).rejects.toMatchObject({
    reason: 'DAEMON_NOT_ALLOWED',
  });
});

it('the metric of the daemon connection has one series for a socket with two names', async () => {
  const port = await freePort();
  const sidecar = await startSecured({ EMBEDDED_SOCKET: `/tmp/${port}` });
  const series = async () => (await sidecar.metrics()).match(/^spread_sidecar_daemon_connection_up\{.*$/gm);
  await until(async () => (await series())?.some((line) => line.endsWith(' 1')), { what: 'the connection' });
  expect(await series()).toEqual([`spread_sidecar_daemon_connection_up{address="${port}"} 1`]);
});
