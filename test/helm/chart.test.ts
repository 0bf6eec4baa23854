import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../server/src/config/index.js';
import { optionRows } from '../../server/src/config/option-rows.js';
import { parseSpreadConf } from '../../server/src/daemon/spread-conf/spread-conf.js';
import { chart, helm, type Manifest, majors, manifests, one, sample } from '../support/chart/helm.js';
import { isAvailable } from '../support/requirements.mjs';

const names = (containers: { name: string }[]) => containers.map(({ name }) => name);
const samples = readdirSync(join(chart, 'ci')).map((file) => file.replace('-values.yaml', ''));

describe.skipIf(!isAvailable('helm')).concurrent('the Helm chart', () => {
  it.each(samples)('sample %s passes lint --strict of each installed Helm', async (name) => {
    for (const major of majors)
      await helm(major, 'lint', '--strict', chart, '--kube-version', '1.34.0', '-f', sample(name));
  });

  it.skipIf(!isAvailable('both-helms')).each(samples)(
    'sample %s is the same from Helm 3 and 4',
    async (name) => {
      const [three, four] = await Promise.all(
        (['3', '4'] as const).map((major) => manifests({ major, files: [sample(name)] })),
      );
      expect(three!.length).toBeGreaterThan(0);
      // Helm 3 keeps the pod of `helm test`, see chart-objects.test.ts.
      const withoutPolicy = (all: readonly Manifest[]) =>
        all.map((manifest) => {
          const annotations = { ...manifest.metadata.annotations };
          delete annotations['helm.sh/hook-delete-policy'];
          return { ...manifest, metadata: { ...manifest.metadata, annotations } };
        });
      expect(withoutPolicy(three!)).toEqual(withoutPolicy(four!));
    },
  );

  it.each(samples)('the sidecar accepts the configuration of sample %s', async (name) => {
    const all = await manifests({ files: [sample(name)] });
    const config = one(all, 'ConfigMap', `${name === 'everything' ? 'all' : 'rel-spread-sidecar'}-config`);
    const { sources } = await loadConfig({
      file: { path: 'config.yaml', text: config.data['config.yaml'] },
    });
    expect(sources['admin.listen'].kind).toBe('file');
  });

  it('fails with a message without addresses of daemons', async () => {
    await expect(manifests()).rejects.toThrow('daemon.external.addresses: the list is empty');
    await expect(manifests({ values: { daemon: { mode: 'container' } } })).rejects.toThrow('daemon.image');
  });

  it('rejects an admin port that probes cannot reach', async () => {
    for (const config of [
      { admin: { listen: '127.0.0.1:4814' } },
      { admin: { listen: 'off' } },
      { admin: null },
    ])
      await expect(manifests({ files: [sample('external')], values: { config } })).rejects.toThrow(
        'config.admin.listen',
      );
  });

  it('rejects native sidecars before Kubernetes 1.29, and offers classic ones', async () => {
    const old = { kubeVersion: '1.28.0' };
    await expect(manifests({ ...old, files: [sample('external')] })).rejects.toThrow(
      'set sidecar.mode to classic',
    );
    const classic = await manifests({ ...old, files: [sample('classic')] });
    const pod = one(classic, 'Deployment').spec.template.spec;
    expect(pod.initContainers).toBeUndefined();
    expect(names(pod.containers)).toEqual(['spread', 'spread-sidecar', 'app']);
    // The pod of `helm test` needs a native sidecar.
    expect(classic.filter(({ kind }) => kind === 'Pod')).toEqual([]);
  });

  it('keeps large numbers unchanged', async () => {
    const all = await manifests({
      files: [sample('external')],
      values: { config: { mailbox: { queueMaxEvents: 100_000_000 } } },
    });
    expect(one(all, 'ConfigMap').data['config.yaml']).toMatch(/queueMaxEvents: 100000000$/m);
  });

  it('mounts each Secret at the path of the configuration', async () => {
    const all = await manifests({ files: [sample('tls')] });
    const config = one(all, 'ConfigMap').data['config.yaml'] as string;
    const pod = one(all, 'Deployment').spec.template.spec;
    const mounts: { name: string; mountPath: string }[] = pod.initContainers[0].volumeMounts;
    const files = [...config.matchAll(/"(\/run\/secrets\/[^"]+)"/g)].map(([, path]) => path!);
    expect(files).toHaveLength(5);
    for (const file of files) {
      const mount = mounts.find(({ mountPath }) => file.startsWith(`${mountPath}/`));
      const volume = pod.volumes.find(({ name }: { name: string }) => name === mount?.name);
      expect(volume?.secret.secretName, file).toBeTruthy();
      if (volume.secret.items) expect(file).toBe(`${mount!.mountPath}/${volume.secret.items[0].path}`);
    }
    const app = pod.containers[0];
    const tokenFile = app.env.find(
      ({ name }: { name: string }) => name === 'SPREAD_SIDECAR_TOKEN_FILE',
    ).value;
    expect(app.volumeMounts.map(({ mountPath }: { mountPath: string }) => `${mountPath}/token`)).toContain(
      tokenFile,
    );
    // The application's own token, and none of the sidecar's secrets.
    expect(app.volumeMounts).toHaveLength(2);
  });

  it('requires a token for its own clients if the sidecar does', async () => {
    const values = { secrets: { tokens: { name: 'x' } } };
    await expect(manifests({ files: [sample('external')], values })).rejects.toThrow('secrets.appToken.name');
  });

  it('replaces pods when the configuration changes', async () => {
    const checksum = async (values: unknown) =>
      one(await manifests({ files: [sample('external')], values }), 'Deployment').spec.template.metadata
        .annotations['checksum/spread-sidecar'];
    expect(await checksum({})).not.toBe(await checksum({ config: { log: { level: 'debug' } } }));
  });

  it('stops after the application: classic sidecars wait, native ones need not', async () => {
    const classic = one(await manifests({ files: [sample('classic')] }), 'Deployment').spec.template.spec;
    expect(names(classic.containers)).toEqual(['spread-sidecar', 'app']);
    expect(classic.containers[0].args).toEqual(['serve', '--shutdown-delay', '10s']);
    // The daemon must not end before the sidecar.
    expect(names(classic.initContainers)).toEqual(['spread']);
    expect(classic.initContainers[0].restartPolicy).toBe('Always');
    const native = one(await manifests({ files: [sample('container')] }), 'Deployment').spec.template.spec;
    expect(
      native.initContainers.map((c: { name: string; restartPolicy: string }) => [c.name, c.restartPolicy]),
    ).toEqual([
      ['spread', 'Always'],
      ['spread-sidecar', 'Always'],
    ]);
    expect(native.initContainers[1].args).toEqual(['serve']);
  });

  it.each([
    { sidecar: { mode: 'classic', shutdownDelay: '15s' }, seconds: 29 },
    { sidecar: { mode: 'classic', shutdownDelay: '1h1m1s' }, seconds: 3675 },
    { sidecar: { mode: 'native', shutdownDelay: '1h' }, seconds: 14 },
    { sidecar: { mode: 'native' }, config: { drain: { grace: '1.5m' } }, seconds: 94 },
    { sidecar: { mode: 'native' }, config: { drain: { grace: '20s500ms' } }, seconds: 24 },
  ])('leaves $sidecar $config more than $seconds s to stop', async ({ seconds, ...values }) => {
    const withPeriod = (terminationGracePeriodSeconds: number) =>
      manifests({
        files: [sample('external')],
        values: { ...values, workload: { terminationGracePeriodSeconds } },
      });
    const refused = Math.max(seconds, 15);
    if (refused === seconds)
      await expect(withPeriod(refused)).rejects.toThrow(
        'workload.terminationGracePeriodSeconds: must be more',
      );
    expect(one(await withPeriod(refused + 1), 'Deployment')).toBeTruthy();
  });

  it('has the sidecar’s default of drain.grace', async () => {
    const { default: grace } = optionRows.find(({ key }) => key === 'drain.grace')!;
    const values = { workload: { terminationGracePeriodSeconds: 15 }, sidecar: { mode: 'classic' } };
    await expect(manifests({ files: [sample('external')], values })).rejects.toThrow(
      `config.drain.grace (${grace})`,
    );
  });

  // A dry run of Helm 3 needs a cluster.
  it.skipIf(!majors.includes('4'))('warns of the embedded daemon', async () => {
    const notes = await helm('4', 'install', 'rel', chart, '--dry-run=client', '-f', sample('embedded'));
    expect(notes).toContain('WARNING: daemon.mode is embedded');
    const external = await helm('4', 'install', 'rel', chart, '--dry-run=client', '-f', sample('external'));
    expect(external).not.toContain('WARNING');
  });
});

describe.skipIf(!isAvailable('helm')).concurrent('the chart’s Spread daemons', () => {
  it('the container’s daemon listens on loopback only', async () => {
    const all = await manifests({ files: [sample('container')] });
    const conf = parseSpreadConf(one(all, 'ConfigMap', 'rel-spread-sidecar-daemon').data['spread.conf'], {
      name: 'localhost',
    });
    expect(conf).toMatchObject({ address: '127.0.0.1', port: 4803, clientAddresses: ['127.0.0.1'] });
  });

  it.each([1, 5, 20])(
    '%i daemons of a StatefulSet are Services, pods and lines of spread.conf',
    async (replicas) => {
      const all = await manifests({
        files: [sample('statefulset')],
        values: { daemon: { statefulSet: { replicas } } },
      });
      const set = one(all, 'StatefulSet');
      const names = Array.from({ length: replicas }, (_, index) => `${set.metadata.name}-${index}`);
      const text: string = one(all, 'ConfigMap', 'rel-spread-sidecar-daemon').data['spread.conf'];
      expect(set.spec.replicas).toBe(replicas);
      // Each name resolves to the address of its pod, like the names of the StatefulSet's Service.
      const service: string = set.spec.serviceName;
      const resolved = names.reduce(
        (conf, name, index) => conf.replace(`{${name}.${service}}`, `10.0.0.${index}`),
        text,
      );
      names.forEach((name, index) => {
        expect(parseSpreadConf(resolved, { name })).toMatchObject({
          name,
          address: `10.0.0.${index}`,
          port: 4803,
        });
      });
      expect(text.match(/^Spread_Segment/gm)).toHaveLength(replicas);
      const headless = one(all, 'Service', service);
      expect(headless.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
      const config = one(all, 'ConfigMap', 'rel-spread-sidecar-config').data['config.yaml'];
      expect(config).toContain(`addresses: ["4803@${set.metadata.name}"]`);
    },
  );

  it('names daemons so that Spread does not truncate the name', async () => {
    const name = async (release: string) =>
      one(await manifests({ release, files: [sample('statefulset')] }), 'StatefulSet').metadata.name;
    const [long, other] = [
      await name('a-release-with-a-long-name'),
      await name('a-release-with-a-long-namf'),
    ];
    expect(`${long}-19`.length).toBeLessThanOrEqual(19);
    expect(long).not.toBe(other);
    expect(await name('x')).toBe('x-spread');
  });
});
