import { spawn } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatListenAddress, type ListenAddress } from '../../../server/src/net/listen-address.js';
import type { ListenError } from '../../../server/src/net/listen-error.js';
import { listenOn } from '../../../server/src/net/listener.js';
import { temporaryFolder } from '../../support/tmp.js';
import { until } from '../../support/until.js';

async function listening(address: ListenAddress, onConnection: (socket: Socket) => void = () => {}) {
  const listener = await listenOn(address, onConnection);
  onTestFinished(async () => {
    await listener.stopAccepting();
    listener.destroyConnections();
  });
  return listener;
}

async function refusal(address: ListenAddress): Promise<ListenError> {
  return listening(address).then(
    () => expect.unreachable('it should not listen'),
    (error) => error as ListenError,
  );
}

/** A socket file whose process was killed while it listened. */
async function staleSocket(path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await new Promise((resolve) => spawn(process.execPath, ['-e', script]).once('exit', resolve));
  expect(statSync(path).isSocket()).toBe(true);
}

describe('TCP', () => {
  it('reports the real port for port 0', async () => {
    const { address } = await listening({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    expect(address).toMatchObject({ kind: 'tcp', host: '127.0.0.1', port: expect.any(Number) });
    expect(address.kind === 'tcp' && address.port).toBeGreaterThan(0);
  });

  it('names a port in use and what to do', async () => {
    const { address } = await listening({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const error = await refusal(address);
    expect(error).toMatchObject({
      name: 'ListenError',
      reason: 'TAKEN',
      address: formatListenAddress(address),
    });
    expect(error.message).toBe(
      `cannot listen on ${formatListenAddress(address)}: another process listens on it; stop that process or configure another address (port 0 selects a free port)`,
    );
  });

  it.each([
    ['an address of another machine', '192.0.2.1', 'NO_SUCH_HOST'],
    ['an unknown name', 'no-such-host.invalid', 'NO_SUCH_HOST'],
  ])('explains %s', async (_, host, reason) => {
    const error = await refusal({ kind: 'tcp', host, port: 0 });
    expect(error.reason).toBe(reason);
    expect(error.message).toContain(`${host}:0`);
  });

  it('continues after a connection that could not be accepted, and reports it', async () => {
    const errors: Error[] = [];
    const server = createServer();
    const listener = await listenOn({ kind: 'tcp', host: '127.0.0.1', port: 0 }, () => {}, {
      server,
      onAcceptError: (error) => errors.push(error),
    });
    onTestFinished(() => listener.stopAccepting());
    server.emit('error', new Error('EMFILE'));
    expect(errors).toEqual([new Error('EMFILE')]);
    expect(server.listening).toBe(true);
  });

  it('counts connections and closes them', async () => {
    const listener = await listening({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const { address } = listener;
    const client = connect(address.kind === 'tcp' ? address.port : 0, '127.0.0.1');
    client.on('error', () => {});
    await until(() => listener.connections === 1);
    await listener.stopAccepting();
    expect(listener.connections).toBe(1);
    listener.destroyConnections();
    await until(() => client.closed && listener.connections === 0);
  });
});

describe('a Unix socket', () => {
  it('has the configured mode, by default 0600, from the start', async () => {
    const folder = temporaryFolder();
    const umask = process.umask();
    for (const mode of [undefined, 0o660, 0o666]) {
      const path = join(folder, `${mode ?? 'default'}`);
      await listening({ kind: 'unix', path, mode });
      expect(statSync(path).mode & 0o777).toBe(mode ?? 0o600);
    }
    expect(process.umask()).toBe(umask);
  });

  it('is removed when the listener stops', async () => {
    const path = join(temporaryFolder(), 's');
    const listener = await listening({ kind: 'unix', path });
    expect(existsSync(path)).toBe(true);
    await listener.stopAccepting();
    expect(existsSync(path)).toBe(false);
  });

  it('replaces one of a killed process', async () => {
    const path = join(temporaryFolder(), 's');
    await staleSocket(path);
    let accepted = 0;
    await listening({ kind: 'unix', path }, () => accepted++);
    const client = connect(path);
    await until(() => accepted === 1);
    client.destroy();
  });

  it('is rejected if another process serves it, which continues', async () => {
    const path = join(temporaryFolder(), 's');
    let accepted = 0;
    await listening({ kind: 'unix', path }, () => accepted++);
    const error = await refusal({ kind: 'unix', path });
    expect(error.reason).toBe('TAKEN');
    expect(error.message).toBe(
      `cannot listen on unix:${path}: another process listens on this socket; stop that process or configure another path`,
    );
    const before = accepted;
    const client = connect(path);
    await until(() => accepted === before + 1);
    client.destroy();
  });

  it('never removes a file that is not a socket', async () => {
    const path = join(temporaryFolder(), 'precious');
    writeFileSync(path, 'data');
    const error = await refusal({ kind: 'unix', path });
    expect(error.reason).toBe('NOT_A_SOCKET');
    expect(error.message).toContain(path);
    expect(existsSync(path)).toBe(true);
  });

  it('requires its folder', async () => {
    const path = join(temporaryFolder(), 'missing', 's');
    const error = await refusal({ kind: 'unix', path });
    expect(error.reason).toBe('NO_SUCH_FOLDER');
    expect(error.message).toContain('create the folder');
  });

  it('has a path of at most 107 bytes', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'x'.repeat(107 - folder.length - 1));
    expect(path).toHaveLength(107);
    await listening({ kind: 'unix', path });
    const error = await refusal({ kind: 'unix', path: `${path}y` });
    expect(error.reason).toBe('PATH_TOO_LONG');
    expect(error.message).toContain('has 108 bytes; use a path of at most 107 bytes');
  });

  it('is not taken from a process that is too busy to accept', async () => {
    const path = join(temporaryFolder(), 's');
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen({ path, backlog: 1 }, resolve));
    onTestFinished(() => void busy.close());
    expect((await refusal({ kind: 'unix', path })).reason).toBe('TAKEN');
  });
});
