import { randomBytes } from 'node:crypto';
import { getContainerRuntimeClient } from 'testcontainers';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { plain } from '../support/containers/containers.js';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';
import { until } from '../support/until.js';

const TEST_MS = 90_000;
const FOLDER = '/run/spread-sidecar';
const TARGET = `unix:${FOLDER}/grpc.sock`;
let image: string;

/** A shared volume that its group can write to, like an emptyDir with fsGroup. */
async function sharedVolume(group: number): Promise<string> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const Name = `sps-${randomBytes(6).toString('hex')}`;
  await dockerode.createVolume({ Name });
  onTestFinished(async () => {
    await dockerode.getVolume(Name).remove();
  });
  await run(Name, '0:0', [
    'node',
    '-e',
    `const fs=require('fs');fs.chownSync('${FOLDER}',0,${group});fs.chmodSync('${FOLDER}',0o2770)`,
  ]);
  return Name;
}

/** Runs a command to its end, as this user, with the volume; resolves to its exit code and output. */
async function run(volume: string, user: string, command: string[], groups: string[] = []) {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const [program = '', ...Cmd] = command;
  const container = await dockerode.createContainer({
    Image: image,
    User: user,
    Entrypoint: [program],
    Cmd,
    HostConfig: { Binds: [`${volume}:${FOLDER}`], GroupAdd: groups, NetworkMode: 'none' },
  });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    return { code: StatusCode, output: plain(await container.logs({ stdout: true, stderr: true })) };
  } finally {
    await container.remove({ force: true });
  }
}

describe.skipIf(!isAvailable('docker'))('a Unix socket in a shared volume', { timeout: TEST_MS }, () => {
  beforeAll(async () => {
    image = await sidecarImage();
  }, IMAGE_MS);

  it('accepts another user of its group, and rejects all others', async () => {
    const volume = await sharedVolume(2000);
    const { dockerode } = (await getContainerRuntimeClient()).container;
    const sidecar = await dockerode.createContainer({
      Image: image,
      Cmd: ['serve', '--embedded-daemon', '--embedded-socket', 'off'],
      Env: [`SPREAD_SIDECAR_GRPC_LISTEN=${TARGET}`, 'SPREAD_SIDECAR_GRPC_SOCKET_GROUP=2000'],
      HostConfig: { Binds: [`${volume}:${FOLDER}`], GroupAdd: ['2000'], NetworkMode: 'none' },
    });
    onTestFinished(async () => {
      await sidecar.remove({ force: true });
    });
    await sidecar.start();

    const send = ['spread-sidecar', 'send', 'cats', '-m', 'hello', '--target', TARGET, '--timeout', '20s'];
    // The sidecar may not be listening yet.
    const member = await until(
      async () => {
        const outcome = await run(volume, '10001:10001', send, ['2000']);
        return outcome.code === 0 && outcome;
      },
      { what: 'a member of the group gets through', timeoutMs: 30_000 },
    );
    expect(member.output).toContain('cats');
    const stranger = await run(volume, '10002:10002', send.with(-1, '2s'));
    expect(stranger.code).not.toBe(0);
    expect(stranger.output).toMatch(/cannot be reached: permission denied/);
  });
});
