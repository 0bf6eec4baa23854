import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chart } from '../support/chart/helm.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const script = join(chart, 'files', 'spread-addresses.mjs');
const STATUS = 0x01000000;
const RELOAD = 0x08000000;

/** A daemon's handling of control packets: it ignores packets with the hash of a file that it has not read. */
class FakeDaemon {
  readonly hashes: number[] = [];
  reloads = 0;
  /** The hash of the daemon's file. Undefined: the daemon has just read the file and accepts the next hash. */
  #loaded: number | 'former' | undefined;
  readonly #socket = createSocket('udp4');

  /**
   * `file: 'former'`: the daemon has read it before the test. `canReload` false: an older release, which cannot
   * reload.
   */
  static async start({ file = '', canReload = true, port = 0 } = {}): Promise<FakeDaemon> {
    const daemon = new FakeDaemon();
    if (file === 'former') daemon.#loaded = file;
    const socket = daemon.#socket;
    socket.on('message', (packet, from) => {
      const type = packet.readUInt32LE(0) & 0x0f000000;
      const hash = packet.readUInt32LE(28);
      if (type === STATUS) {
        daemon.hashes.push(hash);
        daemon.#loaded ??= hash;
        if (!canReload || hash !== daemon.#loaded) return;
        const reply = Buffer.alloc(136);
        reply.writeInt16LE(2, 40 + 74);
        socket.send(reply, packet.readUInt32LE(20), from.address);
      } else if (type === RELOAD && canReload && [hash, 'former'].includes(daemon.#loaded ?? '')) {
        daemon.reloads++;
        daemon.#loaded = undefined;
      }
    });
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    return daemon;
  }

  get port(): number {
    return this.#socket.address().port;
  }
}

interface Start {
  readonly template: string;
  /** Files that an earlier process has written. */
  readonly before?: Record<string, string>;
  readonly environment?: Record<string, string>;
}

async function start({ template, before = {}, environment = {} }: Start) {
  const folder = temporaryFolder();
  const run = join(folder, 'run');
  mkdirSync(run);
  writeFileSync(join(folder, 'template'), template);
  for (const [name, content] of Object.entries(before)) writeFileSync(join(run, name), content);
  const port = await freePort();
  const child: ChildProcess = spawn(
    process.execPath,
    [script, join(folder, 'template'), run, 'ring-0', `${port}`],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, POD_IPS: '127.0.0.1', INTERVAL_MS: '50', ...environment },
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const written = { stdout: '' };
  child.stdout?.on('data', (text) => {
    written.stdout += text;
  });
  const get = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      async (response) => ({ status: response.status, body: await response.text() }),
      () => undefined,
    );
  const status = async () => {
    const answer = await get('/status');
    return answer?.body ? JSON.parse(answer.body) : undefined;
  };
  return { child, written, run, get, status };
}

const segment = (port: number, name: string, address: string) =>
  `Spread_Segment 127.0.0.255:${port} {\n  ${name} ${address}\n}\n`;
const answers = (ask: () => Promise<{ status: number } | undefined>, expected: number) =>
  until(async () => ((await ask())?.status === expected ? true : undefined), {
    timeoutMs: 10_000,
    what: `status ${expected}`,
  });

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

const accepts = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, host, () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

describe('the addresses process beside a daemon', () => {
  it('writes the file when all addresses are known', async () => {
    const { run, get } = await start({ template: segment(4803, 'ring-0', '{ring-0.nodes}') });
    await answers(() => get('/written'), 200);
    expect(readFileSync(join(run, 'spread.conf'), 'utf8')).toBe(segment(4803, 'ring-0', '127.0.0.1'));
  });

  it('writes no file while an address is missing', async () => {
    const template = segment(4803, 'ring-0', '{ring-0.nodes}') + segment(4803, 'ring-1', '{nobody.invalid}');
    const { run, get } = await start({ template });
    await answers(() => get('/written'), 503);
    expect(existsSync(join(run, 'spread.conf'))).toBe(false);
  });

  it('does not accept the file of an earlier address of its own pod', async () => {
    const template = segment(4803, 'ring-0', '{ring-0.nodes}') + segment(4803, 'ring-1', '{nobody.invalid}');
    const before = { 'spread.conf': segment(4803, 'ring-0', '10.79.0.7') };
    const { get } = await start({ template, before });
    await answers(() => get('/written'), 503);
  });

  it('sends the hash that Spread 5.0.1 computes for the file, and reports the ring', async () => {
    const daemon = await FakeDaemon.start({ port: 14803 });
    const template = segment(14803, 'ring-0', '{ring-0.nodes}') + segment(14803, 'ring-1', '10.79.0.2');
    const { status } = await start({ template });
    await until(async () => (await status())?.daemons === 2, { timeoutMs: 10_000, what: 'a status' });
    // From the log of a real daemon with DebugFlags = { CONFIGURATION }.
    expect(daemon.hashes).toContain(1172980563);
  });

  it('makes the daemon read the file again when another address changes', async () => {
    const daemon = await FakeDaemon.start({ file: 'former' });
    const own = segment(daemon.port, 'ring-0', '127.0.0.1');
    const template = `${segment(daemon.port, 'ring-0', '{ring-0.nodes}')}${segment(daemon.port, 'ring-1', '{localhost}')}`;
    const { run, status } = await start({
      template,
      before: { 'spread.conf': `${own}${segment(daemon.port, 'ring-1', '10.79.0.9')}` },
    });
    await until(async () => daemon.reloads === 1 && (await status())?.isCurrent, {
      timeoutMs: 10_000,
      what: 'a reload',
    });
    expect(readFileSync(join(run, 'spread.conf'), 'utf8')).toBe(
      `${own}${segment(daemon.port, 'ring-1', '127.0.0.1')}`,
    );
    expect(existsSync(join(run, 'restart'))).toBe(false);
  });

  it('asks the supervisor to restart a daemon that does not read the file again', async () => {
    const daemon = await FakeDaemon.start({ canReload: false });
    const { run } = await start({
      template: `${segment(daemon.port, 'ring-0', '{ring-0.nodes}')}${segment(daemon.port, 'ring-1', '{localhost}')}`,
      before: {
        'spread.conf': `${segment(daemon.port, 'ring-0', '127.0.0.1')}${segment(daemon.port, 'ring-1', '10.79.0.9')}`,
      },
      environment: { SILENT_MS: '300' },
    });
    await until(() => existsSync(join(run, 'restart')), { timeoutMs: 10_000, what: 'a request to restart' });
  });

  it('continues the work of an earlier process', async () => {
    const daemon = await FakeDaemon.start();
    const own = segment(daemon.port, 'ring-0', '127.0.0.1');
    const { status } = await start({
      template: segment(daemon.port, 'ring-0', '{ring-0.nodes}'),
      before: { 'spread.conf': own, 'former.json': '[1234]' },
    });
    await until(async () => (await status())?.isCurrent, { timeoutMs: 10_000, what: 'a current daemon' });
  });

  it('ends with a message in a pod without IPv4', async () => {
    const template = segment(4803, 'ring-0', '{ring-0.nodes}');
    const { child, written } = await start({ template, environment: { POD_IPS: 'fd00::7' } });
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(written.stdout).toMatch(
      /^the pod has no IPv4 address, only fd00::7, and Spread 5\.0\.1 has no IPv6: run /,
    );
  });

  it.skipIf(!hasIpv6)(
    'writes the IPv4 address of a dual-stack pod, and reports to an IPv6 probe whether the daemon accepts clients',
    async () => {
      const port = await freePort();
      const { run, get } = await start({
        template: segment(port, 'ring-0', '{ring-0.nodes}'),
        environment: { POD_IPS: '::1,127.0.0.1' },
      });
      await answers(() => get('/written'), 200);
      expect(readFileSync(join(run, 'spread.conf'), 'utf8')).toBe(segment(port, 'ring-0', '127.0.0.1'));
      const probe = (expected: boolean) =>
        until(async () => (await accepts('::1', port)) === expected, {
          what: `a probe that says ${expected}`,
        });
      expect(await accepts('::1', port)).toBe(false);
      for (let round = 0; round < 2; round++) {
        const daemon = createServer().listen(port, '127.0.0.1');
        await probe(true);
        daemon.close();
        await probe(false);
      }
    },
  );

  it('ends at SIGTERM', async () => {
    const { child, get } = await start({ template: segment(4803, 'ring-0', '{ring-0.nodes}') });
    await answers(() => get('/written'), 200);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
