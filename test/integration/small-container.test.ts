import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { temporaryFolder } from '../support/tmp.js';

const MIB = 1024 * 1024;

/** A sidecar whose Node reports a container of this size. */
async function startIn(mib: number): Promise<ServeProcess> {
  const [grpc, admin] = [await freePort(), await freePort()];
  const report = `process.constrainedMemory = () => ${mib * MIB};`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(report)}` };
  const args = ['--grpc-listen', `127.0.0.1:${grpc}`, '--admin-listen', `127.0.0.1:${admin}`];
  const socket = join(temporaryFolder(), 'spread');
  const embedded = ['--embedded-daemon', '--embedded-listen', 'off', '--embedded-socket', socket];
  const sidecar = new ServeProcess([...args, ...embedded], env);
  onTestFinished(() => sidecar.end());
  await sidecar.ready(admin);
  return sidecar;
}

const environment = ({ pid }: ServeProcess) => readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
const RULE = 'MALLOC_MMAP_THRESHOLD_=65536';

it.skipIf(process.platform !== 'linux')(
  'in a small container, the process starts again with its process ID, so that freed buffers go back to the kernel',
  async () => {
    const sidecar = await startIn(128);
    // Node before 22.15 can't replace a process.
    expect(environment(sidecar).includes(RULE)).toBe('execve' in process);
    sidecar.kill('SIGTERM');
    expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  },
);

it.skipIf(process.platform !== 'linux')('in a larger container, the process continues', async () => {
  expect(environment(await startIn(512))).not.toContain(RULE);
});
