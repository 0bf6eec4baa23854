import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCommandUnder } from '../support/sidecars/command-process.js';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

/** Runs the given command with this limit of open files. */
const withOpenFiles = (most: number) => ['sh', '-c', `ulimit -n ${most}; exec "$@"`, 'sh'];

/** Connections that send nothing, closed at the end of the running test. */
function connections(count: number, to: { port: number } | { path: string }): Socket[] {
  const sockets = Array.from({ length: count }, () => connect({ host: '127.0.0.1', ...to }));
  for (const socket of sockets) socket.on('error', () => {}).resume();
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

const open = (sockets: readonly Socket[]) => sockets.filter(({ readyState }) => readyState === 'open').length;
const closed = (sockets: readonly Socket[]) => sockets.filter((socket) => socket.closed).length;

const openFiles = ({ pid }: ServeProcess) => readdirSync(`/proc/${pid}/fd`).length;

describe.skipIf(process.platform !== 'linux')('a sidecar with a limit of 100 open files', () => {
  async function start() {
    const [grpc, admin] = [await freePort(), await freePort()];
    const path = join(temporaryFolder(), 'spread');
    const args = ['--grpc-listen', `127.0.0.1:${grpc}`, '--admin-listen', `127.0.0.1:${admin}`];
    const embedded = ['--embedded-daemon', '--embedded-listen', 'off', '--embedded-socket', path];
    const sidecar = new ServeProcess([...args, ...embedded, '--log-format', 'json'], {}, withOpenFiles(100));
    onTestFinished(() => sidecar.end());
    await sidecar.ready(admin);
    const refusals = async (limit: string) => {
      const page = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
      return Number(new RegExp(`limit_refusals_total\\{limit="${limit}"\\} (\\d+)`).exec(page)?.[1]);
    };
    return { sidecar, grpc, admin, path, refusals };
  }

  // 60 connections fit beside the other files: 15 of the admin port, 44 of clients, and the sidecar's own connection
  // to its daemon.
  it.each(['gRPC', 'the embedded daemon'])(
    'process.openFiles: closes, counts and logs connections of %s beyond the limit, and continues to serve',
    async (listener) => {
      const { sidecar, grpc, admin, path, refusals } = await start();
      const sockets = connections(80, listener === 'gRPC' ? { port: grpc } : { path });
      await until(() => open(sockets) === 44 && closed(sockets) === 36, {
        what: 'the surplus is closed',
      });
      expect(openFiles(sidecar)).toBeLessThan(100);
      expect((await fetch(`http://127.0.0.1:${admin}/livez`)).status).toBe(200);
      expect(await refusals('process.openFiles')).toBe(36);
      const lines = sidecar.stderr.split('\n').filter((line) => line.includes('process.openFiles'));
      expect(lines.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({ level: 'warn', limit: 'process.openFiles', openFiles: 100 }),
      ]);
      for (const socket of sockets) socket.destroy();
      await until(() => openFiles(sidecar) < 60, { what: 'the connections are closed' });
      const later = connections(20, listener === 'gRPC' ? { port: grpc } : { path });
      await until(() => open(later) === 20, { what: 'later connections' });
      expect(await refusals('process.openFiles')).toBe(36);
    },
    30_000,
  );

  it('admin.connections: counts and logs connections of the admin port that it closes in favour of others', async () => {
    const { sidecar, admin, refusals } = await start();
    const sockets = connections(40, { port: admin });
    await until(() => open(sockets) <= 15 && open(sockets) + closed(sockets) === 40, {
      what: 'the surplus is closed',
    });
    expect(await refusals('admin.connections')).toBeGreaterThanOrEqual(closed(sockets));
    expect(sidecar.stderr).toContain('"limit":"admin.connections"');
  }, 30_000);
});

it.skipIf(process.platform !== 'linux')(
  'the daemon command names the limit of open files when it closes connections, and continues to serve',
  async () => {
    const port = await freePort();
    const daemon = startCommandUnder(withOpenFiles(80), 'daemon', '-p', `${port}`, '--socket', 'off');
    await until(() => daemon.written.stdout.includes('is ready'), { timeoutMs: 10_000 });
    const sockets = connections(60, { port });
    await until(() => open(sockets) === 40 && closed(sockets) === 20, { what: 'the surplus is closed' });
    await until(() => daemon.written.stderr.includes('raise the limit'));
    expect(daemon.written.stderr.trim().split('\n')[0]).toBe(
      'error: a connection was closed because this process may open at most 80 files: raise the limit (ulimit -n, or nofile of the container)',
    );
    for (const socket of sockets) socket.destroy();
    // The daemon rejects connections until it has closed the earlier ones.
    const later = connections(1, { port });
    await until(
      () => {
        if (closed(later) === later.length) later.push(...connections(1, { port }));
        return open(later) === 1;
      },
      { what: 'a later connection' },
    );
    daemon.child.kill('SIGTERM');
    expect(await daemon.exited()).toBe(0);
  },
  30_000,
);
