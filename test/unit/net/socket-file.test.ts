import { existsSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmbeddedDaemon, listen } from '../../../server/src/daemon/index.js';
import { listenOn } from '../../../server/src/net/listener.js';
import { MAX_SOCKET_PATH_BYTES, SocketFile } from '../../../server/src/net/socket-file.js';
import { temporaryFolder } from '../../support/tmp.js';

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

interface Started {
  readonly isReachable: boolean;
  stop(): Promise<void>;
}

const KINDS: [kind: string, start: (path: string) => Promise<Started>][] = [
  [
    'a gRPC listener',
    async (path) => {
      const listener = await listenOn({ kind: 'unix', path }, (socket) => socket.destroy());
      return {
        get isReachable() {
          return listener.isReachable;
        },
        stop: () => listener.stopAccepting(),
      };
    },
  ],
  [
    'the embedded daemon',
    async (path) => {
      const daemon = new EmbeddedDaemon();
      const listening = await listen({ daemon, unixPath: path });
      return {
        get isReachable() {
          return listening.isReachable;
        },
        stop: async () => {
          await listening.close();
          await daemon.close();
        },
      };
    },
  ],
];

describe.each(KINDS)('the socket file of %s', (_, start) => {
  const begin = async (path: string) => {
    const started = await start(path);
    onTestFinished(() => started.stop());
    return started;
  };

  it('exists while it listens, alone in its folder, and not afterwards', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 's');
    const started = await begin(path);
    expect(readdirSync(folder)).toEqual(['s']);
    expect(await answers(path)).toBe(true);
    expect(started.isReachable).toBe(true);
    await started.stop();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('stays when it then belongs to another process, and the first one notices', async () => {
    const path = join(temporaryFolder(), 's');
    const first = await begin(path);
    unlinkSync(path);
    expect(first.isReachable).toBe(false);
    const second = await begin(path);
    expect(first.isReachable).toBe(false);
    expect(second.isReachable).toBe(true);
    await first.stop();
    expect(await answers(path)).toBe(true);
    expect(second.isReachable).toBe(true);
    await second.stop();
    expect(existsSync(path)).toBe(false);
  });

  it('may have the longest possible path', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'x'.repeat(MAX_SOCKET_PATH_BYTES - folder.length - 1));
    const started = await begin(path);
    expect(await answers(path)).toBe(true);
    await started.stop();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('SocketFile', () => {
  it('does not replace a file that was created at its path meanwhile', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 's');
    const bound = async (at: string) => {
      const server = createServer();
      onTestFinished(() => {
        server.close();
      });
      await new Promise<void>((resolve) => server.listen(at, resolve));
    };
    const file = new SocketFile(path);
    await bound(file.bindPath);
    await bound(path);
    const { ino } = statSync(path);
    expect(() => file.publish()).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
    expect(statSync(path).ino).toBe(ino);
    expect(readdirSync(folder)).toEqual(['s']);
  });
});
