import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIG_FILE, optionRows } from '../../server/src/config/option-rows.js';
import { chart, helm, type Manifest, majors, manifests, one, sample } from '../support/chart/helm.js';
import { isAvailable } from '../support/requirements.mjs';
import { cli } from '../support/sidecars/cli.js';
import { temporaryFolder } from '../support/tmp.js';

const samples = readdirSync(join(chart, 'ci')).map((file) => file.replace('-values.yaml', ''));
const consumer = join(import.meta.dirname, 'consumer');

// biome-ignore lint/suspicious/noExplicitAny: a pod as YAML has it.
type Yaml = any;

/** The specs of all pods that a set of objects creates. */
const podsOf = (all: readonly Manifest[]): Yaml[] =>
  all.flatMap(({ kind, spec }) =>
    kind === 'Pod' ? [spec] : ['Deployment', 'StatefulSet'].includes(kind) ? [spec.template.spec] : [],
  );

const containersOf = (pod: Yaml): Yaml[] => [...(pod.initContainers ?? []), ...pod.containers];

describe.skipIf(!isAvailable('helm'))('the chart’s pods', () => {
  it.each(samples)(
    'those of sample %s write only to volumes, have limits, and have no service account token',
    async (name) => {
      const pods = podsOf(await manifests({ files: [sample(name)] }));
      expect(pods.length > 0).toBe(name !== 'minimal');
      for (const pod of pods) {
        expect(pod.automountServiceAccountToken).toBe(false);
        for (const { name, securityContext, resources } of containersOf(pod)) {
          expect(securityContext.readOnlyRootFilesystem, name).toBe(true);
          expect(resources.limits.memory, name).toBeTruthy();
        }
      }
    },
  );

  it.each(samples)('every volume of sample %s is mounted, and every mount has a volume', async (name) => {
    for (const pod of podsOf(await manifests({ files: [sample(name)] }))) {
      const mounted = containersOf(pod).flatMap(({ volumeMounts = [] }) =>
        volumeMounts.map((mount: { name: string }) => mount.name),
      );
      expect([...new Set(mounted)].sort()).toEqual(pod.volumes.map((v: { name: string }) => v.name).sort());
    }
  });

  it('the socket is in memory, and an application of another user reaches it by its group', async () => {
    const all = await manifests({ files: [sample('external')] });
    const pod = one(all, 'Deployment').spec.template.spec;
    const [app] = pod.containers;
    const [sidecar] = pod.initContainers;
    expect(pod.volumes).toContainEqual({
      name: 'spread-sidecar-socket',
      emptyDir: { medium: 'Memory', sizeLimit: '1Mi' },
    });
    expect(app.securityContext.runAsUser).not.toBe(sidecar.securityContext.runAsUser);
    expect(pod.securityContext.fsGroup).toBe(65532);
    const config: string = one(all, 'ConfigMap').data['config.yaml'];
    expect(config).toContain('socketMode: "0660"');
    const target: string = app.env[0].value;
    expect(target).toBe('unix:///run/spread-sidecar/grpc.sock');
    expect(config).toContain(`"${target.replace('//', '')}"`);
    for (const container of [app, sidecar])
      expect(container.volumeMounts).toContainEqual(
        expect.objectContaining({ name: 'spread-sidecar-socket', mountPath: '/run/spread-sidecar' }),
      );
  });

  it('the sidecar knows its file and the uid of its pod', async () => {
    const [sidecar] = one(await manifests({ files: [sample('external')] }), 'Deployment').spec.template.spec
      .initContainers;
    const seed = optionRows.find(({ key }) => key === 'mailbox.privateNameSeed')!.environment;
    expect(sidecar.env).toEqual([
      { name: CONFIG_FILE.environment, value: '/etc/spread-sidecar/config.yaml' },
      { name: seed, valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
    ]);
    expect(sidecar.volumeMounts).toContainEqual({
      name: 'spread-sidecar-config',
      mountPath: '/etc/spread-sidecar',
      readOnly: true,
    });
  });

  it('probes use the admin port at any address', async () => {
    const values = { config: { admin: { listen: '0.0.0.0:9000' } } };
    const all = await manifests({ files: [sample('external')], values });
    const [sidecar] = one(all, 'Deployment').spec.template.spec.initContainers;
    expect(sidecar.ports).toEqual([{ name: 'spread-admin', containerPort: 9000 }]);
    for (const [probe, path] of Object.entries({
      startup: '/startupz',
      readiness: '/readyz',
      liveness: '/livez',
    }))
      expect(sidecar[`${probe}Probe`].httpGet).toEqual({ path, port: 'spread-admin' });
  });

  it('start the application after the sidecar: classic ones delay it until they have their daemon', async () => {
    const values = { sidecar: { startupProbe: { periodSeconds: 3, failureThreshold: 50 } } };
    const pod = one(await manifests({ files: [sample('classic')], values }), 'Deployment').spec.template.spec;
    expect(pod.containers.map(({ name }: { name: string }) => name)).toEqual(['spread-sidecar', 'app']);
    const hook: string[] = pod.containers[0].lifecycle.postStart.exec.command;
    expect(hook).toEqual(['spread-sidecar', 'healthcheck', '--daemon', '--quiet', '--wait', '150s']);
    // The command line accepts it.
    const { exitCode } = await cli([...hook.slice(1, -1), '1ms', '-t', '127.0.0.1:1']);
    expect(exitCode).toBe(1);
    const native = one(await manifests({ files: [sample('container')], values }), 'Deployment');
    for (const container of native.spec.template.spec.initContainers)
      expect(container.lifecycle).toBeUndefined();
  });

  it('listens for probes on IPv4 and IPv6, and applications on loopback find it', async () => {
    const config: string = one(await manifests({ files: [sample('external')] }), 'ConfigMap').data[
      'config.yaml'
    ];
    expect(config).toMatch(/^admin:\n {2}listen: "\[::\]:4814"$/m);
    const values = { config: { grpc: { listen: ['[::]:5000'], insecure: true } } };
    const all = await manifests({ files: [sample('external')], values });
    expect(one(all, 'Deployment').spec.template.spec.containers[0].env[0].value).toBe('127.0.0.1:5000');
  });

  it.each(['StatefulSet ring', 'Deployment all'])(
    '%s has the labels and annotations of the values',
    async (of) => {
      const own = { podLabels: { team: 'blue' }, podAnnotations: { note: 'mine' } };
      const values = { workload: own, daemon: { statefulSet: own } };
      const all = await manifests({ files: [sample('everything')], values });
      const found = all.find(({ kind, metadata }) => `${kind} ${metadata.name}` === of)!;
      expect(found.spec.template.metadata.labels).toMatchObject(own.podLabels);
      expect(found.spec.template.metadata.annotations).toMatchObject(own.podAnnotations);
      expect(found.spec.selector.matchLabels).not.toHaveProperty('team');
    },
  );

  it('an application without a socket gets the TCP address', async () => {
    const values = { config: { grpc: { listen: ['0.0.0.0:5000'], insecure: true } } };
    const all = await manifests({ files: [sample('external')], values });
    expect(one(all, 'Deployment').spec.template.spec.containers[0].env[0].value).toBe('127.0.0.1:5000');
  });
});

describe.skipIf(!isAvailable('helm'))('the sidecar in another chart’s pod', () => {
  it.each(majors)('is the one of the example workload, with Helm %s', async (major) => {
    const folder = temporaryFolder();
    const copy = join(folder, 'test', 'helm', 'consumer');
    cpSync(consumer, copy, { recursive: true });
    cpSync(chart, join(folder, 'deploy', 'helm', 'spread-sidecar'), { recursive: true });
    await helm(major, 'dependency', 'update', '--skip-refresh', copy);
    for (const mode of ['native', 'classic']) {
      const values = {
        sidecar: { mode },
        image: { pullSecrets: ['registry'] },
        daemon: { external: { addresses: ['4803@spread'] } },
      };
      const own = await manifests({ major, values });
      const theirs = await manifests({ major, chart: copy, values: { 'spread-sidecar': values } });
      const [ours, embedded] = [
        one(own, 'Deployment').spec.template,
        one(theirs, 'Deployment', 'rel-consumer').spec.template,
      ];
      const sidecarOf = (pod: Yaml) => containersOf(pod).find(({ name }) => name === 'spread-sidecar');
      expect(sidecarOf(embedded.spec)).toEqual(sidecarOf(ours.spec));
      expect(sidecarOf(ours.spec)).toBeDefined();
      expect(embedded.spec.volumes).toEqual(ours.spec.volumes);
      expect(embedded.spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
      expect(embedded.spec.imagePullSecrets).toEqual(ours.spec.imagePullSecrets);
      expect(embedded.spec.securityContext).toEqual(ours.spec.securityContext);
      expect(ours.metadata.annotations).toMatchObject(embedded.metadata.annotations);
      expect(ours.metadata.labels).toMatchObject({ 'spread-sidecar/release': 'rel' });
      expect(embedded.metadata.labels).toMatchObject({ 'spread-sidecar/release': 'rel' });
      expect(one(theirs, 'ConfigMap').data).toEqual(one(own, 'ConfigMap').data);
      const [app, theirApp] = [ours, embedded].map(({ spec }) => spec.containers.at(-1));
      expect(theirApp.env).toEqual(app.env);
      expect(theirApp.volumeMounts).toEqual(app.volumeMounts);
    }
  });

  it('uses every template that a pod needs, as docs/kubernetes.md and the README of the chart show', () => {
    const templatesIn = (path: string) => [
      ...new Set(readFileSync(path, 'utf8').match(/(?<=["`])spread-sidecar\.[A-Za-z]+(?=["`])/g)),
    ];
    const used = templatesIn(join(consumer, 'templates', 'deployment.yaml'));
    expect(used).toContain('spread-sidecar.imagePullSecrets');
    const readme = templatesIn(join(chart, 'README.md'));
    expect(readme.filter((name) => name !== 'spread-sidecar.container').sort()).toEqual([...used].sort());
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'kubernetes.md'), 'utf8');
    const snippet = /^# templates\/deployment\.yaml\n([\s\S]*?)^```/m.exec(page)![1]!;
    const template = readFileSync(join(consumer, 'templates', 'deployment.yaml'), 'utf8');
    for (const line of template.split('\n').filter((text) => text.includes('spread-sidecar')))
      expect(snippet).toContain(`${line}\n`);
    for (const line of snippet.split('\n').filter((text) => text !== '…')) expect(template).toContain(line);
  });
});
