import { beforeAll, describe, expect, it } from 'vitest';
import { BUILD_TIMEOUT_MS, buildApiServer, mistakesInYaml } from '../support/chart/api-server.js';
import { majors, manifests, one, render, sample } from '../support/chart/helm.js';
import { podTemplates } from '../support/chart/pods.js';
import { isAvailable } from '../support/requirements.mjs';

const external = { files: [sample('external')] };
const everything = { files: [sample('everything')] };

// biome-ignore lint/suspicious/noExplicitAny: an object as YAML has it.
type Yaml = any;

const images = (all: readonly Yaml[]) =>
  podTemplates(all).flatMap(({ spec }) =>
    [...(spec.initContainers ?? []), ...spec.containers].map(({ image }: Yaml) => image as string),
  );

describe.skipIf(!isAvailable('helm'))('values of every object', () => {
  it('commonLabels are on every object and pod, commonAnnotations on every object', async () => {
    const all = await manifests({ ...everything, values: { extraObjects: [] } });
    expect(all.length).toBeGreaterThan(12);
    for (const { kind, metadata } of all) {
      expect(metadata.labels, kind).toMatchObject({ 'cost-center': '42' });
      expect(metadata.annotations, kind).toMatchObject({ owner: 'team' });
    }
    for (const { labels } of podTemplates(all)) expect(labels).toMatchObject({ 'cost-center': '42' });
  });

  it('labels by which the chart selects cannot be overridden', async () => {
    const label = 'app.kubernetes.io/instance';
    const values = {
      commonLabels: { [label]: 'other', 'spread-sidecar/release': 'other' },
      workload: { podLabels: { [label]: 'other', 'spread-sidecar/release': 'other' } },
    };
    const deployment = one(await manifests({ ...external, values }), 'Deployment');
    expect(deployment.spec.template.metadata.labels).toMatchObject({
      [label]: 'rel',
      'spread-sidecar/release': 'rel',
    });
    expect(deployment.metadata.labels[label]).toBe('rel');
  });

  it('namespaceOverride is the namespace of every namespaced object, and of the daemons’ names', async () => {
    const values = { namespaceOverride: 'other', injection: { enabled: true }, extraObjects: [] };
    const all = await manifests({ ...everything, values });
    for (const { kind, metadata } of all)
      expect((metadata as Yaml).namespace, kind).toBe(/AdmissionPolicy/.test(kind) ? undefined : 'other');
    expect(one(all, 'ConfigMap', 'all-config').data['config.yaml']).toContain('4803@ring.other.svc');
    for (const { metadata } of await manifests(external)) expect(metadata).not.toHaveProperty('namespace');
  });

  it('extraObjects can be objects or texts, with templates', async () => {
    const object = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } });
    const values = {
      extraObjects: [
        object('{{ include "spread-sidecar.fullname" . }}-a'),
        JSON.stringify(object('b')).replace('"b"', '"{{ .Release.Name }}-b"'),
      ],
    };
    for (const major of majors) {
      const all = await manifests({ ...external, major, values });
      expect(all.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name)).toEqual([
        'rel-spread-sidecar-a',
        'rel-b',
      ]);
    }
  });

  it('global.imageRegistry applies to images without a registry', async () => {
    const values = {
      global: { imageRegistry: 'mirror.example/' },
      image: { repository: 'team/spread-sidecar' },
      daemon: { mode: 'container', image: 'spread:5' },
      workload: { image: 'localhost:5000/app:1' },
    };
    expect(new Set(images(await manifests({ values })))).toEqual(
      new Set([
        'mirror.example/spread:5',
        'mirror.example/team/spread-sidecar:0.1.0',
        'localhost:5000/app:1',
      ]),
    );
  });

  it('global.imagePullSecrets, as names or objects, come before those of the chart, once', async () => {
    const values = {
      global: { imagePullSecrets: ['a', { name: 'b' }], other: { of: 'another chart' } },
      image: { pullSecrets: ['b', 'c'] },
    };
    for (const { spec } of podTemplates(await manifests({ ...external, values })))
      expect(spec.imagePullSecrets).toEqual(['a', 'b', 'c'].map((name) => ({ name })));
  });
});

describe.skipIf(!isAvailable('helm'))('values of pods', () => {
  it.each(['StatefulSet', 'Deployment'])('%s: class, DNS, security and updates', async (kind) => {
    const { spec } = one(await manifests(everything), kind);
    const pod = spec.template.spec;
    const isDaemon = kind === 'StatefulSet';
    expect(pod).toMatchObject({
      priorityClassName: isDaemon ? 'high' : 'low',
      runtimeClassName: 'gvisor',
      dnsConfig: isDaemon ? { options: [{ name: 'ndots', value: '2' }] } : { searches: ['example.com'] },
      securityContext: isDaemon
        ? { supplementalGroups: [4000] }
        : { fsGroup: 65532, fsGroupChangePolicy: 'OnRootMismatch' },
    });
    expect(pod.hostNetwork).toBeUndefined();
    expect(isDaemon ? spec.updateStrategy : spec.strategy).toMatchObject({ type: 'RollingUpdate' });
    for (const { securityContext } of pod.containers)
      expect(securityContext).toMatchObject({ procMount: 'Default', readOnlyRootFilesystem: true });
    if (isDaemon) expect(pod.terminationGracePeriodSeconds).toBe(10);
  });

  it('a field of a securityContext is replaced by its value, and removed by null', async () => {
    const values = {
      sidecar: { securityContext: { readOnlyRootFilesystem: null, seccompProfile: { type: 'Unconfined' } } },
    };
    for (const major of majors) {
      const all = await manifests({ ...external, major, values });
      const [{ securityContext }] = one(all, 'Deployment').spec.template.spec.initContainers;
      expect(securityContext).not.toHaveProperty('readOnlyRootFilesystem');
      expect(securityContext).toMatchObject({ seccompProfile: { type: 'Unconfined' }, runAsNonRoot: true });
    }
  });

  it.each([
    ['daemon', 'StatefulSet'],
    ['workload', 'Deployment'],
  ])('a topology spread constraint without a selector counts the pods of the %s', async (component, kind) => {
    const constraint = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' };
    const own = { labelSelector: { matchLabels: { team: 'blue' } } };
    const constraints = { topologySpreadConstraints: [constraint, { ...constraint, ...own }] };
    const values = { workload: constraints, daemon: { statefulSet: constraints } };
    const { spec } = one(await manifests({ files: [sample('statefulset')], values }), kind);
    expect(spec.selector.matchLabels).toHaveProperty(['app.kubernetes.io/component'], component);
    expect(spec.template.spec.topologySpreadConstraints).toEqual([
      { ...constraint, labelSelector: spec.selector },
      { ...constraint, ...own },
    ]);
  });

  it('hostNetwork uses the DNS of the cluster, for daemons and for a sidecar that is not open to the node', async () => {
    const host = { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' };
    const daemons = { daemon: { statefulSet: { hostNetwork: true } } };
    const set = one(await manifests({ files: [sample('statefulset')], values: daemons }), 'StatefulSet');
    expect(set.spec.template.spec).toMatchObject(host);
    const workload = { hostNetwork: true };
    await expect(render({ ...external, values: { workload } })).rejects.toThrow(
      'workload.hostNetwork: every process of the node could use config.grpc.listen 127.0.0.1:4813; listen only on unix:',
    );
    for (const safe of [
      { config: { grpc: { listen: ['unix:/run/spread-sidecar/grpc.sock'] } } },
      { secrets: { tokens: { name: 'a' }, appToken: { name: 'b' } } },
    ]) {
      const all = await manifests({ ...external, values: { ...safe, workload } });
      expect(one(all, 'Deployment').spec.template.spec).toMatchObject(host);
    }
  });

  it.each(['native', 'classic'])('extraArgs follow serve, %s', async (mode) => {
    const values = { sidecar: { mode, extraArgs: ['--log-level', 'debug'] } };
    const { spec } = one(await manifests({ ...external, values }), 'Deployment').spec.template;
    const sidecar = [...(spec.initContainers ?? []), ...spec.containers].find(
      ({ name }: Yaml) => name === 'spread-sidecar',
    );
    expect(sidecar.args[0]).toBe('serve');
    expect(sidecar.args.slice(-2)).toEqual(['--log-level', 'debug']);
  });

  it('each probe has its timeout', async () => {
    const values = Object.fromEntries(
      ['startup', 'readiness', 'liveness'].map((name, index) => [
        `${name}Probe`,
        { timeoutSeconds: index + 7 },
      ]),
    );
    const all = await manifests({ ...external, values: { sidecar: values } });
    const [sidecar] = one(all, 'Deployment').spec.template.spec.initContainers;
    expect(
      ['startup', 'readiness', 'liveness'].map((name) => sidecar[`${name}Probe`].timeoutSeconds),
    ).toEqual([7, 8, 9]);
  });

  it('the client of the test has its own resources, by default those of the workload', async () => {
    const resources = async (rendering: object) =>
      one(await manifests(rendering), 'Pod').spec.containers[0].resources;
    expect(await resources(everything)).toEqual({ limits: { memory: '128Mi' } });
    expect(await resources(external)).toMatchObject({ limits: { memory: '256Mi' } });
  });

  it('an autoscaler sets the number of pods, with a PodDisruptionBudget for several', async () => {
    const all = await manifests(everything);
    expect(one(all, 'Deployment').spec).not.toHaveProperty('replicas');
    expect(one(all, 'HorizontalPodAutoscaler').spec).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'all' },
      minReplicas: 2,
      maxReplicas: 3,
      metrics: [{ resource: { name: 'cpu', target: { averageUtilization: 80 } } }],
    });
    const autoscaling = { enabled: true, minReplicas: 4 };
    await expect(render({ ...external, values: { workload: { autoscaling } } })).rejects.toThrow(
      'workload.autoscaling.maxReplicas: 3 is less than minReplicas 4',
    );
  });

  it.each([
    [{}, { maxUnavailable: 1 }],
    [{ maxUnavailable: '25%' }, { maxUnavailable: '25%' }],
    [{ minAvailable: 2 }, { minAvailable: 2 }],
    [{ minAvailable: '50%' }, { minAvailable: '50%' }],
    [{ minAvailable: 0 }, { minAvailable: 0 }],
  ])('a PodDisruptionBudget with %o has %o', async (podDisruptionBudget, expected) => {
    for (const major of majors) {
      const values = { workload: { replicas: 3 }, podDisruptionBudget };
      const { selector, ...spec } = one(
        await manifests({ ...external, major, values }),
        'PodDisruptionBudget',
      ).spec;
      expect(selector).toBeDefined();
      expect(spec).toEqual(expected);
    }
  });

  it('the schema rejects a percentage above 100, and a relabeling with an unknown field', async () => {
    for (const [values, path] of [
      [{ podDisruptionBudget: { minAvailable: '101%' } }, '/podDisruptionBudget/minAvailable'],
      [{ podMonitor: { relabelings: [{ target: 'a' }] } }, '/podMonitor/relabelings/0'],
    ] as const)
      await expect(render({ ...external, values })).rejects.toThrow(path);
  });
});

describe.skipIf(!isAvailable('helm'))('scraping', () => {
  const scrape = {
    enabled: true,
    interval: '15s',
    scrapeTimeout: '5s',
    relabelings: [{ targetLabel: 'a', replacement: 'b' }],
    metricRelabelings: [{ regex: 'c', action: 'labeldrop' }],
  };
  const { enabled: _, ...endpoint } = scrape;

  it.each(['podMonitor', 'serviceMonitor'])(
    '%s has an interval, a timeout and relabelings',
    async (value) => {
      const all = await manifests({ ...external, values: { [value]: scrape } });
      const { spec } = one(all, value === 'podMonitor' ? 'PodMonitor' : 'ServiceMonitor');
      expect(spec.podMetricsEndpoints ?? spec.endpoints).toEqual([
        { port: 'spread-admin', path: '/metrics', ...endpoint },
      ]);
    },
  );

  it('the ServiceMonitor selects its Service, and the Service every pod with a sidecar', async () => {
    const values = { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } };
    const all = await manifests({ ...external, values });
    const [monitor, service] = [one(all, 'ServiceMonitor'), one(all, 'Service')];
    expect(monitor.metadata.labels.release).toBe('prometheus');
    expect(service.metadata.labels).toMatchObject(monitor.spec.selector.matchLabels);
    expect(service.spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      ipFamilyPolicy: 'PreferDualStack',
      ports: [{ name: 'spread-admin', port: 4814, targetPort: 'spread-admin' }],
    });
    for (const { labels } of podTemplates(all)) expect(labels).toMatchObject(service.spec.selector);
    const injected = { files: [sample('injection')], values };
    await expect(render(injected)).rejects.toThrow('set podMonitor.enabled instead');
  });
});

describe.skipIf(!isAvailable('helm') || !isAvailable('go'))('the API server accepts', () => {
  beforeAll(buildApiServer, BUILD_TIMEOUT_MS);

  it.each(['rel', '9lives', 'my.app'])('every object with all features on, release %s', async (release) => {
    const values = { fullnameOverride: '', serviceMonitor: { enabled: true } };
    expect(mistakesInYaml(await render({ ...everything, release, values }))).toEqual([]);
  });
});
