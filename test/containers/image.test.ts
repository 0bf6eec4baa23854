import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { beforeAll, describe, expect, it } from 'vitest';
import { PAGE_PACKAGES, root } from '../../scripts/build.mjs';
import { endBy, inEngine, logOf, plain, started } from '../support/containers/containers.js';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';
import { until } from '../support/until.js';

const TEST_MS = 90_000;
const MIB = 1024 * 1024;
let image: string;

const ready = () => Wait.forHttp('/readyz', 4814, { abortOnContainerExit: true });
const inspected = async () =>
  (await getContainerRuntimeClient()).container.dockerode.getImage(image).inspect();

describe.skipIf(!isAvailable('docker'))('the image', { timeout: TEST_MS }, () => {
  beforeAll(async () => {
    image = await sidecarImage();
  }, IMAGE_MS);

  it('serves without arguments, prints how to reach it, is healthy, and exits with 0', async () => {
    const container = await started(
      new GenericContainer(image)
        .withHostname('sidecar.example')
        .withExposedPorts(4813, 4814)
        .withWaitStrategy(ready())
        .start(),
    );
    const log = await container.exec(['spread-sidecar', 'send', 'cats', '-m', 'hello']);
    expect([log.exitCode, log.output]).toEqual([0, expect.stringContaining('cats')]);
    const state = async () => (await (await inEngine(container)).inspect()).State;
    await until(async () => (await state()).Health?.Status === 'healthy', {
      what: 'the health check of the image',
      timeoutMs: 20_000,
    });
    expect(await endBy(container, 'SIGTERM')).toBe(0);
    const startLog = await logOf(container);
    // Docker finds a container by its ID, not by its host name.
    expect(startLog).toContain(`  docker exec -it ${container.getId().slice(0, 12)} spread-sidecar user\n`);
    expect(startLog).toMatch(/0\.0\.0\.0:4813/);
  });

  it('runs as a random user of group 0, as in OpenShift', async () => {
    const { dockerode } = (await getContainerRuntimeClient()).container;
    const container = await dockerode.createContainer({
      Image: image,
      User: '1000680000:0',
      Cmd: ['serve', '--embedded-daemon', '--embedded-socket', 'off'],
      Env: [
        'SPREAD_SIDECAR_GRPC_LISTEN=unix:/run/spread-sidecar/grpc.sock,127.0.0.1:4813',
        'SPREAD_SIDECAR_GRPC_SOCKET_MODE=0660',
        'SPREAD_SIDECAR_ADMIN_LISTEN=[::]:4814',
      ],
      Volumes: { '/run/spread-sidecar': {} },
      HostConfig: {
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        NetworkMode: 'none',
      },
    });
    try {
      await container.start();
      await until(async () => (await container.inspect()).State.Health?.Status === 'healthy', {
        what: 'the health check of the image',
        timeoutMs: 20_000,
      });
      // Without this, `ps` truncates long numbers.
      const { Processes } = (await container.top({ ps_args: '-o uid:12,pid' })) as { Processes: string[][] };
      expect(Processes[0]![0]).toBe('1000680000');
      await container.stop({ t: 10 });
      expect((await container.inspect()).State.ExitCode).toBe(0);
    } finally {
      await container.remove({ force: true, v: true });
    }
  });

  it('runs with a read-only root file system, without capabilities and with a numeric user', async () => {
    const { Config } = await inspected();
    expect(Config.User).toBe('65532:65532');
    const { dockerode } = (await getContainerRuntimeClient()).container;
    const container = await dockerode.createContainer({
      Image: image,
      HostConfig: {
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        NetworkMode: 'none',
      },
    });
    try {
      await container.start();
      await until(async () => (await container.inspect()).State.Health?.Status === 'healthy', {
        what: 'it is healthy',
        timeoutMs: 20_000,
      });
      // The container runs only the sidecar, without a shell before it.
      const { Processes } = (await container.top()) as { Processes: string[][] };
      expect(Processes.filter((line) => !/healthcheck/.test(line.join(' ')))).toHaveLength(1);
      await container.stop({ t: 10 });
      expect((await container.inspect()).State.ExitCode).toBe(0);
    } finally {
      await container.remove({ force: true });
    }
  });

  it('listens only on loopback by default when it is given a command', async () => {
    const container = await started(
      new GenericContainer(image)
        .withCommand(['serve', '--embedded-daemon', '--embedded-socket', 'off', '--log-format', 'pretty'])
        .withWaitStrategy(Wait.forHealthCheck())
        .start(),
    );
    expect(await logOf(container)).toContain('gRPC    127.0.0.1:4813');
  });

  it('rejects an invalid configuration with the location of each mistake', async () => {
    const { dockerode } = (await getContainerRuntimeClient()).container;
    const container = await dockerode.createContainer({
      Image: image,
      Cmd: ['serve'],
      Env: ['SPREAD_SIDECAR_GRPC_LISTEN=0.0.0.0:4813', 'SPREAD_SIDECAR_MAILBOX_MAXMAILBOX=1'],
    });
    try {
      await container.start();
      expect(((await container.wait()) as { StatusCode: number }).StatusCode).toBe(2);
      const log = plain(await container.logs({ stdout: true, stderr: true }));
      expect(log).toContain('SPREAD_SIDECAR_MAILBOX_MAXMAILBOX');
    } finally {
      await container.remove({ force: true });
    }
  });

  it('adds at most 30 MiB to its base, and has labels', async () => {
    const { Config } = await inspected();
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'spread-sidecar',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': version,
    });
    const { dockerode } = (await getContainerRuntimeClient()).container;
    const layers = (await dockerode.getImage(image).history()) as { CreatedBy: string; Size: number }[];
    // The newest layer comes first. The layers after it belong to the base image.
    const first = layers.findIndex(({ CreatedBy }) => /ARG VERSION=/.test(CreatedBy));
    const own = layers.slice(0, first + 1);
    expect(own.length).toBeGreaterThan(3);
    expect(own.reduce((sum, { Size }) => sum + Size, 0)).toBeLessThan(30 * MIB);
  });

  it('contains exactly the packages of its SBOM, without duplicates', async () => {
    const container = await started(
      new GenericContainer(image).withExposedPorts(4814).withWaitStrategy(ready()).start(),
    );
    const { output } = await container.exec(['cat', '/app/sbom.cdx.json']);
    expect(output).toBe(readFileSync(join(root, 'sbom.cdx.json'), 'utf8'));
    const script = `
      import { globSync, readFileSync } from 'node:fs';
      for (const file of globSync(['/app/node_modules/**/package.json', '/app/{proto,clients/*}/package.json'])) {
        const { name, version } = JSON.parse(readFileSync(file, 'utf8'));
        if (version && (file.endsWith('node_modules/' + name + '/package.json') || !file.startsWith('/app/node_modules/')))
          console.log(name + '@' + version);
      }`;
    const found = await container.exec(['node', '--input-type=module', '-e', script]);
    const installed = [...new Set(found.output.trim().split('\n'))].sort();
    const sbom = JSON.parse(output) as { components: { 'bom-ref': string }[] };
    // The image contains no type definitions, because they are not needed at run time. The bundle of the status page contains its packages.
    const listed = sbom.components
      .map((one) => one['bom-ref'])
      .filter((ref) => !/^(@types\/|undici-types@)/.test(ref));
    const isInPage = (ref: string) => PAGE_PACKAGES.some((name) => ref.startsWith(`${name}@`));
    expect(installed).toEqual(listed.filter((ref) => !isInPage(ref)).sort());
    expect(listed.filter(isInPage)).toHaveLength(PAGE_PACKAGES.length);
    const licences = await container.exec(['cat', '/app/dist/page/licences.txt']);
    for (const name of PAGE_PACKAGES) expect(licences.output).toContain(name);
  });

  it('contains a licence file of every package', async () => {
    const container = await started(
      new GenericContainer(image).withExposedPorts(4814).withWaitStrategy(ready()).start(),
    );
    const script = `
      import { globSync, readdirSync } from 'node:fs';
      import { dirname } from 'node:path';
      const folders = globSync(['/app/node_modules/*/package.json', '/app/node_modules/@*/*/package.json']).map(dirname);
      const without = folders.filter((folder) => !readdirSync(folder).some((name) => /^licen[cs]e/i.test(name)));
      console.log(JSON.stringify({ count: folders.length, without }));`;
    const found = await container.exec(['node', '--input-type=module', '-e', script]);
    const { count, without } = JSON.parse(found.output);
    expect(count).toBeGreaterThan(30);
    expect(without).toEqual([]);
  });
});
