import { SpreadSidecarContainer } from 'spread-sidecar-testcontainers';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { beforeAll, describe, expect, it } from 'vitest';
import { started } from '../support/containers/containers.js';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';

const TEST_MS = 90_000;
let image: string;

const check = (container: StartedTestContainer, env: Record<string, string> = {}) =>
  container.exec(['spread-sidecar', 'check'], { env });

describe.skipIf(!isAvailable('docker'))('check in a container', { timeout: TEST_MS }, () => {
  beforeAll(async () => {
    image = await sidecarImage();
  }, IMAGE_MS);

  it('recognizes the running sidecar, and checks its daemon', async () => {
    const running = await started(
      new GenericContainer(image)
        .withCommand(['serve'])
        .withEnvironment({
          SPREAD_SIDECAR_GRPC_LISTEN: 'unix:/run/spread-sidecar/grpc.sock,127.0.0.1:4813',
          SPREAD_SIDECAR_EMBEDDED_DAEMON: 'true',
          SPREAD_SIDECAR_EMBEDDED_LISTEN: '127.0.0.1:4803',
        })
        .withWaitStrategy(Wait.forHealthCheck())
        .start(),
    );
    const own = await check(running);
    const used = (place: string) => `${place} is in use by the sidecar of this container (process 1)`;
    expect(own.output).toContain(`ok   gRPC: ${used('/run/spread-sidecar/grpc.sock')}`);
    expect(own.output).toContain(`ok   gRPC: ${used('127.0.0.1:4813')}`);
    expect(own.output).toContain(`ok   admin: ${used('127.0.0.1:4814')}`);
    expect(own.output).toContain(`ok   embedded daemon: ${used('127.0.0.1:4803')}`);
    expect(own.exitCode).toBe(0);

    // With another configuration, the port belongs to the sidecar, and the daemon does not respond.
    const other = await check(running, {
      SPREAD_SIDECAR_EMBEDDED_DAEMON: 'false',
      SPREAD_SIDECAR_DAEMON_ADDRESSES: '4899@127.0.0.1,4803@127.0.0.1',
    });
    expect(other.output).toContain('warn daemon 4899@127.0.0.1');
    expect(other.output).toContain('ok   daemon 4803@127.0.0.1: Spread 5.0.1 answers');
    expect(other.exitCode).toBe(0);
  });

  it('fails in a container without a sidecar, beside one with a sidecar', async () => {
    const running = await started(new SpreadSidecarContainer(image).start());
    const beside = await started(
      new GenericContainer(image)
        .withEntrypoint(['node', '-e', 'setInterval(() => {}, 1000)'])
        .withNetworkMode(`container:${running.getId()}`)
        .withWaitStrategy(Wait.forListeningPorts())
        .start(),
    );
    const { exitCode, output } = await check(beside, { SPREAD_SIDECAR_EMBEDDED_DAEMON: 'true' });
    expect(output).toContain('FAIL gRPC: 127.0.0.1:4813 (--grpc-listen) is in use by another process');
    expect(exitCode).toBe(7);
  });
});
