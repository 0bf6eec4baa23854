import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { SidecarProcess } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'server', 'main.js');
const ADDRESS = 'fd00:10::7';
/** The network of a pod in an IPv6-only cluster. */
const POD = `ip link set lo up && ip link add pod type veth peer name other && ip addr add ${ADDRESS}/64 dev pod nodad && ip link set pod up && ip link set other up`;

it.skipIf(!isAvailable('namespaces'))(
  'a pod without IPv4 has probes, and clients over the socket and over loopback',
  { timeout: 60_000 },
  async () => {
    const socket = join(temporaryFolder(), 's');
    // The addresses that the chart sets.
    const sidecar = new SidecarProcess(
      [
        ...['--embedded-daemon', '--embedded-socket', 'off', '--admin-listen', '[::]:4814'],
        ...['--grpc-listen', `unix:${socket}`, '--grpc-listen', '127.0.0.1:4813'],
      ],
      {},
      ['unshare', '--net', 'sh', '-c', `${POD} && exec "$@"`, 'sh'],
    );
    const inPod = (...args: string[]) =>
      promisify(execFile)('nsenter', ['--target', `${sidecar.pid}`, '--net', process.execPath, ...args]);
    const addresses = `require('os').networkInterfaces().pod.map(({ address }) => address).filter((one) => one.includes('.'))`;
    const probe = (path: string) =>
      inPod(
        '-p',
        `fetch('http://[${ADDRESS}]:4814/${path}').then(({ status }) => console.log('status', status), () => {}), ${addresses}`,
      );
    await until(async () => (await probe('startupz').catch(() => undefined))?.stdout.includes('status 200'), {
      timeoutMs: 20_000,
      what: `the probe of the start: ${sidecar.stderr}`,
    });
    for (const path of ['livez', 'readyz']) {
      const { stdout } = await probe(path);
      expect(stdout).toMatch(/^\[\]\nstatus 200/);
    }
    for (const target of [`unix:${socket}`, '127.0.0.1:4813']) {
      const { stdout, stderr } = await inPod(MAIN, 'send', 'demo', '-m', 'hello', '-t', target);
      expect(stdout + stderr).toContain('sent 5 bytes to demo');
    }
  },
);
