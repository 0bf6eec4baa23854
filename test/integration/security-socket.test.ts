import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../server/src/config/index.js';
import { groupId } from '../../server/src/net/socket-group.js';
import { expectNoSecrets, put, startSecured } from '../support/sidecars/secured-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const FRIENDS = 54_321;

/** The result when an unprivileged process with this group connects. */
function neighbour(gid: number, script: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script, ...args], {
    uid: NOBODY,
    gid,
    encoding: 'utf8',
    cwd: '/',
  });
  return stdout.trim() || stderr;
}

const CONNECT = `
  const socket = require('node:net').connect(process.argv[1]);
  socket.on('connect', () => { console.log('connected'); socket.destroy(); });
  socket.on('error', (error) => console.log(error.code));`;
const READ = `
  try { console.log(require('node:fs').readFileSync(process.argv[1], 'utf8')); } catch (error) { console.log(error.code); }`;

/** A folder that all users can enter, so that only the permissions of the socket matter. */
function openFolder(): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  return folder;
}

describe('the Unix socket', () => {
  it.each([
    ['', 0o660],
    ['0600', 0o600],
    ['0666', 0o666],
  ])('has the mode %s', async (mode, expected) => {
    const socket = join(temporaryFolder(), 'grpc');
    const sidecar = await startSecured({
      GRPC_LISTEN: `unix:${socket}`,
      ...(mode ? { GRPC_SOCKET_MODE: mode } : {}),
    });
    expect(statSync(socket).mode & 0o777).toBe(expected);
    expect((await sidecar.client().version()).sidecar).toBe('0.0.0-test');
  });

  it.each(['gRPC', 'embedded daemon'])(
    '%s: /readyz answers 503 while its file is missing or replaced',
    async (which) => {
      const folder = temporaryFolder();
      const sockets = { gRPC: join(folder, 'grpc'), 'embedded daemon': join(folder, 'spread') };
      const path = sockets[which as keyof typeof sockets];
      const sidecar = await startSecured({
        GRPC_LISTEN: `unix:${sockets.gRPC}`,
        EMBEDDED_SOCKET: sockets['embedded daemon'],
      });
      const probe = async (page: string) => {
        const response = await fetch(`http://${sidecar.admin}/${page}?verbose`);
        return [response.status, await response.text()] as const;
      };
      const [before] = await probe('readyz');
      expect(before).toBe(200);
      renameSync(path, `${path}.moved`);
      const missing = await probe('readyz');
      expect(missing[0]).toBe(503);
      expect(missing[1]).toContain(`${path} was removed or replaced; restart the sidecar`);
      // The process stays alive: the operator decides about a restart.
      expect((await probe('livez'))[0]).toBe(200);
      writeFileSync(path, '');
      expect((await probe('readyz'))[0]).toBe(503);
      renameSync(`${path}.moved`, path);
      const [after, text] = await probe('readyz');
      expect(after).toBe(200);
      expect(text).not.toContain('removed');
      expect((await sidecar.client().version()).sidecar).toBe('0.0.0-test');
    },
  );

  it('has the configured group', async () => {
    const socket = join(temporaryFolder(), 'grpc');
    await expect(
      startSecured({ GRPC_LISTEN: `unix:${socket}`, GRPC_SOCKET_GROUP: 'no-such-group' }),
    ).rejects.toMatchObject({ name: 'ListenError', reason: 'GROUP' });
  });

  it('finds a group by its name in the system file', () => {
    const address = { kind: 'unix' as const, path: '/run/x' };
    const file = put(join(temporaryFolder(), 'group'), 'root:x:0:\nfriends:x:54321:a,b\nbroken\n');
    expect(groupId(address, 'friends', file)).toBe(54_321);
    expect(groupId(address, '77', file)).toBe(77);
    for (const group of ['broken', 'friend', '4294967295'])
      expect(() => groupId(address, group, file)).toThrow(/has no group/);
    expect(() => groupId(address, 'friends', '/nowhere')).toThrow(/set another group/);
  });

  describe.skipIf(!isRoot)('beside an unprivileged neighbour (needs root)', () => {
    it('is accessible only to its group, by number or name', async () => {
      for (const group of [String(FRIENDS), 'daemon']) {
        const gid = group === 'daemon' ? groupId({ kind: 'unix', path: '' }, group) : FRIENDS;
        const socket = join(openFolder(), 'grpc');
        await startSecured({ GRPC_LISTEN: `unix:${socket}`, GRPC_SOCKET_GROUP: group });
        expect(statSync(socket)).toMatchObject({ uid: 0, gid });
        expect(statSync(socket).mode & 0o777).toBe(0o660);
        // This process is blocked meanwhile. The kernel completes the connection without it.
        expect(neighbour(gid, CONNECT, socket)).toBe('connected');
        expect(neighbour(NOBODY, CONNECT, socket)).toBe('EACCES');
      }
    });

    it('is accessible only to its owner with mode 0600, and the secrets are not readable', async () => {
      const folder = openFolder();
      const socket = join(folder, 'grpc');
      const tokens = put(join(folder, 'tokens'), 'a-token-of-the-test\n');
      chownSync(tokens, 0, 0);
      const sidecar = await startSecured({
        GRPC_LISTEN: `unix:${socket}`,
        GRPC_SOCKET_MODE: '0600',
        GRPC_TOKEN_FILE: tokens,
      });
      expect(neighbour(NOBODY, CONNECT, socket)).toBe('EACCES');
      expect(neighbour(NOBODY, READ, tokens)).toBe('EACCES');
      for (const what of ['environ', 'mem', 'maps'])
        expect(neighbour(NOBODY, READ, `/proc/${process.pid}/${what}`)).toMatch(/^E/);
      expect(readFileSync(`/proc/${process.pid}/cmdline`, 'utf8')).not.toContain('a-token-of-the-test');
      expectNoSecrets(sidecar, 'a-token-of-the-test');
    });
  });
});

describe('a TCP address that other machines can reach', () => {
  const load = (listen: string, more: Record<string, string> = {}) =>
    loadConfig({ env: { SPREAD_SIDECAR_GRPC_LISTEN: listen, ...more } });

  it.each(['0.0.0.0:4813', '[::]:4813', '10.1.2.3:4813', 'sidecar.example:4813', '127.0.0.1:1,[fe80::1]:2'])(
    'is rejected without TLS: %s',
    async (listen) => {
      await expect(load(listen)).rejects.toThrow(/other machines could reach .* without TLS/);
      await expect(load(listen, { SPREAD_SIDECAR_INSECURE: 'true' })).resolves.toBeDefined();
      await expect(load(listen, { SPREAD_SIDECAR_GRPC_TLS_CERT: '/tls.pem' })).resolves.toBeDefined();
    },
  );

  it.each(['127.0.0.1:4813', '127.8.9.1:4813', '[::1]:4813', 'localhost:4813', 'unix:/run/x'])(
    'is not: %s',
    async (listen) => {
      await expect(load(listen)).resolves.toBeDefined();
    },
  );
});
