import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AdminServer } from '../../server/src/admin/admin-server.js';
import { loadConfig } from '../../server/src/config/index.js';
import { EmbeddedDaemon, listen } from '../../server/src/daemon/index.js';
import { GrpcServer } from '../../server/src/grpc/server.js';
import { HealthBoard } from '../../server/src/grpc/services/health.js';
import { MailboxRegistry } from '../../server/src/mailbox/registry/registry.js';
import { silentLogger } from '../../server/src/observability/index.js';
import { createSidecar, type Sidecar } from '../../server/src/sidecar.js';
import { mailboxSettings } from '../support/mailboxes/mailbox-settings.js';
import { plainEncode } from '../support/mailboxes/plain-events.js';
import { GRPC_BOUNDS } from '../support/sidecars/grpc-bounds.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { within } from '../support/until.js';

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

async function sidecarOnFreePorts() {
  const ports = { grpc: await freePort(), admin: await freePort(), daemon: await freePort() };
  const sockets = [join(temporaryFolder(), 'grpc'), join(temporaryFolder(), 'spread')];
  const { config } = await loadConfig({
    env: {
      SPREAD_SIDECAR_EMBEDDED_DAEMON: 'true',
      SPREAD_SIDECAR_EMBEDDED_LISTEN: `127.0.0.1:${ports.daemon}`,
      SPREAD_SIDECAR_EMBEDDED_SOCKET: sockets[1]!,
      SPREAD_SIDECAR_GRPC_LISTEN: `127.0.0.1:${ports.grpc},unix:${sockets[0]}`,
      SPREAD_SIDECAR_ADMIN_LISTEN: `127.0.0.1:${ports.admin}`,
    },
  });
  const sidecar = createSidecar(config, { logger: silentLogger, version: '0.0.0-test' });
  onTestFinished(() => sidecar.stop({ graceMs: 0 }));
  const expectClosed = async () => {
    for (const port of Object.values(ports)) expect(await listens(port)).toBe(false);
    for (const socket of sockets) expect(existsSync(socket)).toBe(false);
  };
  return { sidecar, expectClosed };
}

const microtasks = async (count: number) => {
  for (let i = 0; i < count; i++) await undefined;
};

describe('a sidecar listens on no port after its stop', () => {
  const orders: [how: string, run: (sidecar: Sidecar) => Promise<unknown>][] = [
    ['in the turn in which it was started', (s) => Promise.all([s.start(), s.stop()])],
    ['before it was started', (s) => Promise.all([s.stop(), s.start()])],
    ['and is started afterwards', (s) => s.stop().then(() => s.start())],
    ['twice', (s) => s.start().then(() => Promise.all([s.stop(), s.stop()]))],
    ['after it was started twice', (s) => Promise.all([s.start(), s.start()]).then(() => s.stop())],
    ['with a shutdown delay during the start', (s) => Promise.all([s.start(), s.stop({ delayMs: 60_000 })])],
    ...[1, 2, 3, 5, 10, 20, 40].map((count): [string, (s: Sidecar) => Promise<unknown>] => [
      `${count} microtasks after the start began`,
      (s) => Promise.all([s.start(), microtasks(count).then(() => s.stop())]),
    ]),
    ...[1, 2, 3, 5, 8].map((count): [string, (s: Sidecar) => Promise<unknown>] => [
      `${count} turns after the start began`,
      async (s) => {
        const starting = s.start();
        for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
        await Promise.all([starting, s.stop()]);
      },
    ]),
  ];

  it.each(orders)('%s', async (_, run) => {
    const { sidecar, expectClosed } = await sidecarOnFreePorts();
    await within(run(sidecar), 'the end of start and stop', 15_000);
    await within(sidecar.stopped, 'stopped');
    expect(sidecar.ready).toBe(false);
    await expectClosed();
  });
});

describe('each part ends in every order of start and stop', () => {
  const address = { kind: 'tcp', host: '127.0.0.1' } as const;
  const expectClosedPort = async (port: number) => expect(await listens(port)).toBe(false);

  it.each(['stop before listen', 'stop in the same turn', 'stop twice'])('GrpcServer: %s', async (order) => {
    const server = new GrpcServer({ services: [], bounds: GRPC_BOUNDS });
    const port = await freePort();
    const begin = () => server.listen([{ ...address, port }]).catch(() => {});
    const stop = () => server.stop({ graceMs: 0 });
    if (order === 'stop before listen') await stop().then(begin);
    else if (order === 'stop in the same turn') await Promise.all([begin(), stop()]);
    else await begin().then(() => Promise.all([stop(), stop()]));
    await expectClosedPort(port);
  });

  it.each(['stop before listen', 'stop in the same turn', 'stop twice'])('AdminServer: %s', async (order) => {
    const checks = { livez: [], readyz: [], startupz: [] };
    const metrics = async () => ({ contentType: 'text/plain', body: '' });
    const server = new AdminServer({
      pages: { checks, metrics, onError: () => {} },
      health: new HealthBoard([]),
      bounds: GRPC_BOUNDS,
    });
    const port = await freePort();
    const begin = () => server.listen({ ...address, port }).catch(() => {});
    const stop = () => server.stop({ graceMs: 0 });
    if (order === 'stop before listen') await stop().then(begin);
    else if (order === 'stop in the same turn') await Promise.all([begin(), stop()]);
    else await begin().then(() => Promise.all([stop(), stop()]));
    await expectClosedPort(port);
  });

  it('EmbeddedDaemon: closed before and after it listens', async () => {
    const daemon = new EmbeddedDaemon();
    await daemon.close();
    const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 } });
    await Promise.all([listening.close(), listening.close(), daemon.close()]);
    await expectClosedPort(listening.tcpPort!);
  });

  it('MailboxRegistry: drained twice, and before anything was opened', async () => {
    const registry = new MailboxRegistry({ settings: mailboxSettings({}), encode: plainEncode });
    await Promise.all([registry.drain({ graceMs: 0 }), registry.drain({ graceMs: 60_000 })]);
    await registry.drain({ graceMs: 0 });
    expect(registry.size).toBe(0);
  });
});
