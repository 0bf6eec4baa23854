import { spawn } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmbeddedDaemon, type Listening, listen } from '../../../server/src/daemon/index.js';
import { ListenError } from '../../../server/src/net/listen-error.js';
import { RawClient } from '../../support/daemons/raw-client.js';
import { freePort } from '../../support/sidecars/serve-process.js';
import { temporaryFolder } from '../../support/tmp.js';
import { until } from '../../support/until.js';

type Where = Partial<Parameters<typeof listen>[0]>;

async function start(where: Where): Promise<Listening> {
  const daemon = new EmbeddedDaemon();
  const listening = await listen({ daemon, ...where });
  onTestFinished(async () => {
    await listening.close();
    await daemon.close();
  });
  return listening;
}

async function refusalOf(where: Where): Promise<ListenError> {
  const error = await start(where).catch((reason) => reason);
  expect(error).toBeInstanceOf(ListenError);
  return error;
}

/** The socket file of a killed process. */
async function staleSocket(): Promise<string> {
  const path = join(temporaryFolder(), 'stale');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
  expect(existsSync(path)).toBe(true);
  return path;
}

describe('listen', () => {
  it('serves TCP and a Unix socket for all users, and removes its file', async () => {
    const path = join(temporaryFolder(), 'spread');
    const daemon = new EmbeddedDaemon();
    const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 }, unixPath: path });
    expect(statSync(path).mode & 0o777).toBe(0o666);
    expect(listening.unixPath).toBe(path);
    const clients = [
      await RawClient.connect({ host: '127.0.0.1', port: listening.tcpPort! }, { name: 't' }),
      await RawClient.connect({ path }, { name: 'u' }),
    ];
    for (const client of clients) client.join('g');
    expect(await clients[1]!.nextView()).toMatchObject({ group: 'g' });

    await listening.close();
    expect(existsSync(path)).toBe(false);
    // Sessions continue until the daemon itself is closed.
    clients[0]!.multicast({ groups: ['g'], text: 'still here' });
    await until(() => clients[1]!.received.some((message) => message.kind === 'regular'));
    await daemon.close();
    for (const client of clients) await client.ended();
    await expect(RawClient.connect({ path })).rejects.toThrow();
  });

  it('uses one port for several addresses', async () => {
    const { tcpPort } = await start({ tcp: { host: ['127.0.0.1', '127.0.0.2'], port: 0 } });
    for (const host of ['127.0.0.1', '127.0.0.2']) await RawClient.connect({ host, port: tcpPort! });
  });

  it('can listen without TCP', async () => {
    const path = join(temporaryFolder(), 'spread');
    const listening = await start({ unixPath: path });
    expect(listening.tcpPort).toBeUndefined();
    await RawClient.connect({ path });
  });

  it('names a port in use, and leaves nothing open', async () => {
    const taken = await start({ tcp: { host: '127.0.0.1', port: 0 } });
    const error = await refusalOf({ tcp: { host: ['127.0.0.2', '127.0.0.1'], port: taken.tcpPort! } });
    expect(error.message).toMatch(
      new RegExp(`^cannot listen on 127.0.0.1:${taken.tcpPort}: another process listens on it`),
    );
    await start({ tcp: { host: '127.0.0.2', port: taken.tcpPort! } });
  });

  it.each([
    ['192.0.2.1', /^cannot listen on 192\.0\.2\.1:0: this machine does not have that address/],
    ['no-such-host.invalid', /^cannot listen on no-such-host\.invalid:0: /],
  ])('names an invalid listen address: %s', async (host, message) => {
    expect((await refusalOf({ tcp: { host, port: 0 } })).message).toMatch(message);
  });

  it('replaces the socket file of a killed process', async () => {
    const path = await staleSocket();
    await start({ unixPath: path });
    await RawClient.connect({ path });
  });

  it('does not touch the socket of a live daemon, and names it', async () => {
    const path = join(temporaryFolder(), 'spread');
    await start({ unixPath: path });
    const error = await refusalOf({ unixPath: path });
    expect(error.message).toBe(
      `cannot listen on unix:${path}: another process listens on this socket; stop that process or configure another path`,
    );
    await RawClient.connect({ path });
  });

  it('does not touch a file that is not a socket', async () => {
    const path = join(temporaryFolder(), 'notes.txt');
    writeFileSync(path, 'precious');
    expect((await refusalOf({ unixPath: path })).message).toMatch(/the path is a file that is not a socket/);
    expect(statSync(path).size).toBe(8);
  });

  it('names the mistake in a path', async () => {
    const long = join(temporaryFolder(), 'x'.repeat(100));
    expect((await refusalOf({ unixPath: long })).message).toMatch(
      /path has \d+ bytes; use a path of at most 107 bytes/,
    );
    const missing = join(temporaryFolder(), 'missing', 'spread');
    expect((await refusalOf({ unixPath: missing })).message).toMatch(
      /missing\/spread: the folder does not exist/,
    );
  });

  it('closes TCP when the Unix socket fails', async () => {
    const free = await freePort();
    await refusalOf({ tcp: { host: '127.0.0.1', port: free }, unixPath: '/nowhere/at/all' });
    await start({ tcp: { host: '127.0.0.1', port: free } });
  });
});
