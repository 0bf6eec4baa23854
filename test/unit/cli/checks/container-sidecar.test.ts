import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findContainerSidecar } from '../../../../server/src/cli/checks/container-sidecar.js';
import { temporaryFolder } from '../../../support/tmp.js';

const SERVE = ['node', '/usr/local/bin/spread-sidecar', 'serve', '--embedded-daemon'];

interface FakeProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string[];
  readonly sockets?: number[];
}

/**
 * A proc file system with these processes. Socket 71 listens on port 4813, socket 72 on port 9000 over IPv6,
 * sockets 73 and 74 on files.
 */
function fakeProc(processes: readonly FakeProcess[]): string {
  const proc = temporaryFolder();
  for (const { pid, parent, command, sockets = [] } of processes) {
    const folder = join(proc, String(pid));
    mkdirSync(join(folder, 'fd'), { recursive: true });
    writeFileSync(join(folder, 'stat'), `${pid} (Main) Thread)) S ${parent} 1 1 0 -1\n`);
    writeFileSync(join(folder, 'cmdline'), `${command.join('\0')}\0`);
    for (const [at, socket] of sockets.entries())
      symlinkSync(`socket:[${socket}]`, join(folder, 'fd', String(at)));
  }
  mkdirSync(join(proc, 'net'));
  const tcp = (local: string, state: string, inode: number) =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 65532        0 ${inode} 1 0 100 0 0 10 0\n`;
  const heading = '  sl  local_address rem_address   st\n';
  writeFileSync(
    join(proc, 'net/tcp'),
    `${heading}${tcp('0100007F:12CD', '0A', 71)}${tcp('0100007F:0050', '01', 71)}`,
  );
  writeFileSync(join(proc, 'net/tcp6'), `${heading}${tcp(`${'0'.repeat(32)}:2328`, '0A', 72)}`);
  const unix = (inode: number, path: string) => `0: 00000002 00000000 00010000 0001 01 ${inode} ${path}\n`;
  writeFileSync(
    join(proc, 'net/unix'),
    `Num RefCount\n${unix(73, '/run/spread-sidecar/.rg0s9xon')}${unix(74, '/tmp/app.sock')}`,
  );
  return proc;
}

const tcp = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const;
const unix = (path: string) => ({ kind: 'unix', path }) as const;

describe('the sidecar of a container', () => {
  it.each<[string, FakeProcess[]]>([
    ['is the first process', [{ pid: 1, parent: 0, command: SERVE, sockets: [71, 72, 73] }]],
    [
      'is a child of an init process that the engine adds',
      [
        { pid: 1, parent: 0, command: ['/sbin/docker-init', '--', '/usr/local/bin/spread-sidecar', 'serve'] },
        { pid: 7, parent: 1, command: SERVE, sockets: [71, 72, 73] },
      ],
    ],
    [
      'shares the process namespace of a pod',
      [
        { pid: 1, parent: 0, command: ['/pause'] },
        { pid: 14, parent: 0, command: SERVE, sockets: [71, 72, 73] },
        { pid: 30, parent: 0, command: ['/app'], sockets: [74] },
      ],
    ],
  ])('%s', async (_, processes) => {
    const sidecar = await findContainerSidecar(fakeProc(processes));
    expect(sidecar?.pid).toBe(processes.find(({ sockets }) => sockets?.includes(71))?.pid);
    expect([4813, 9000, 80].map((port) => sidecar?.listensAt(tcp(port)))).toEqual([true, true, false]);
    const paths = ['/run/spread-sidecar/grpc.sock', '/tmp/app.sock', '/run/other/grpc.sock'];
    expect(paths.map((path) => sidecar?.listensAt(unix(path)))).toEqual([true, false, false]);
  });

  it.each<[string, FakeProcess[]]>([
    [
      'a host',
      [
        { pid: 1, parent: 0, command: ['/sbin/init'] },
        { pid: 900, parent: 1, command: SERVE, sockets: [71] },
      ],
    ],
    [
      'a container in which a shell started the sidecar',
      [
        { pid: 1, parent: 0, command: ['bash'] },
        { pid: 9, parent: 1, command: SERVE, sockets: [71] },
      ],
    ],
    [
      'a container with another command of the sidecar',
      [{ pid: 1, parent: 0, command: ['node', '/usr/local/bin/spread-sidecar', 'daemon'], sockets: [71] }],
    ],
  ])('is not found on %s', async (_, processes) => {
    expect(await findContainerSidecar(fakeProc(processes))).toBeUndefined();
  });

  it('is not found without a proc file system', async () => {
    expect(await findContainerSidecar(join(temporaryFolder(), 'missing'))).toBeUndefined();
  });
});
