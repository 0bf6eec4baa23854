import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../server/src/config/index.js';
import { optionRows } from '../../server/src/config/option-rows.js';
import { admit, BUILD_TIMEOUT_MS, buildApiServer, mistakes, warnings } from '../support/chart/api-server.js';
import { manifests, one, render, sample } from '../support/chart/helm.js';
import { isAvailable } from '../support/requirements.mjs';

const injection = { files: [sample('injection')] };
const policyOf = async (values: unknown = {}) =>
  one(await manifests({ ...injection, values }), 'MutatingAdmissionPolicy');

// biome-ignore lint/suspicious/noExplicitAny: a pod as YAML has it.
type Yaml = any;

describe.skipIf(!isAvailable('helm'))('the injection policy', () => {
  it.each([
    ['1.36.0', ['v1', 'v1beta1'], 'v1'],
    ['1.35.0', ['v1beta1'], 'v1beta1'],
  ])('uses the API of Kubernetes %s', async (kubeVersion, versions, expected) => {
    const apiVersions = versions.map((v) => `admissionregistration.k8s.io/${v}/MutatingAdmissionPolicy`);
    const all = await manifests({ ...injection, kubeVersion, apiVersions });
    for (const kind of ['MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding'])
      expect(one(all, kind).apiVersion).toBe(`admissionregistration.k8s.io/${expected}`);
  });

  it.each(['1.30.0', '1.36.0'])('fails with a message when Kubernetes %s has none', async (kubeVersion) => {
    await expect(render({ ...injection, kubeVersion, apiVersions: ['v1'] })).rejects.toThrow(
      'has no MutatingAdmissionPolicy',
    );
  });

  it('matches new pods only, of namespaces that opt in, unless the pod opts out', async () => {
    const { matchConstraints } = (await policyOf()).spec;
    expect(matchConstraints.namespaceSelector.matchLabels).toEqual({ 'spread-sidecar/inject': 'enabled' });
    expect(matchConstraints.objectSelector.matchExpressions).toEqual([
      { key: 'spread-sidecar/inject', operator: 'NotIn', values: ['false'] },
    ]);
    expect(matchConstraints.resourceRules).toEqual([
      { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
    ]);
  });

  it('matches pods that opt in themselves, in every namespace', async () => {
    const all = await manifests({ ...injection, values: { injection: { optIn: 'pod' } } });
    const { matchConstraints } = one(all, 'MutatingAdmissionPolicy').spec;
    expect(matchConstraints.namespaceSelector).toEqual({});
    expect(matchConstraints.objectSelector).toEqual({
      matchExpressions: [{ key: 'spread-sidecar/inject', operator: 'In', values: ['enabled'] }],
    });
    const warning = one(all, 'ValidatingAdmissionPolicy').spec;
    expect(warning.matchConstraints.namespaceSelector).toEqual({});
    const policies = await manifests({
      files: [sample('statefulset')],
      values: { injection: { enabled: true, optIn: 'pod' }, networkPolicy: { enabled: true } },
    });
    const daemons = one(policies, 'NetworkPolicy', 'rel-spread-sidecar-daemon');
    expect(daemons.spec.ingress[0].from[1].namespaceSelector).toEqual({});
  });

  it.each(['namespace', 'pod'])(
    'matches pods with the labels of objectSelector, opt-in by %s',
    async (optIn) => {
      const expression = { key: 'tier', operator: 'Exists' };
      const objectSelector = { matchLabels: { team: 'blue' }, matchExpressions: [expression] };
      const { matchConstraints } = (await policyOf({ injection: { optIn, objectSelector } })).spec;
      expect(matchConstraints.objectSelector.matchLabels).toEqual({ team: 'blue' });
      expect(matchConstraints.objectSelector.matchExpressions).toEqual([
        expect.objectContaining({ key: 'spread-sidecar/inject' }),
        expression,
      ]);
    },
  );

  it('is bound by its name', async () => {
    const all = await manifests(injection);
    const binding = one(all, 'MutatingAdmissionPolicyBinding');
    expect(binding.spec.policyName).toBe(one(all, 'MutatingAdmissionPolicy').metadata.name);
  });
});

const pod = (spec: Yaml, metadata: Yaml = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'app', namespace: 'apps', ...metadata },
  spec,
});

describe.skipIf(!isAvailable('helm') || !isAvailable('go'))('a pod that the policy has changed', () => {
  beforeAll(buildApiServer, BUILD_TIMEOUT_MS);

  it.each(['native', 'classic'])('has the sidecar of the example workload, %s', async (mode) => {
    const values = { sidecar: { mode } };
    const changed = admit(await policyOf(values), pod({ containers: [{ name: 'app', image: 'app:1' }] }));
    const all = await manifests({ ...injection, values: { ...values, workload: { enabled: true } } });
    const own = one(all, 'Deployment').spec.template;
    expect(changed.spec.initContainers ?? []).toEqual(own.spec.initContainers ?? []);
    expect(changed.spec.containers.slice(0, -1)).toEqual(own.spec.containers.slice(0, -1));
    const [app, changedApp] = [own.spec.containers.at(-1), changed.spec.containers.at(-1)];
    expect(app.name).toBe('app');
    expect(changedApp.env).toEqual(app.env);
    expect(changedApp.volumeMounts).toEqual(app.volumeMounts);
    expect(changed.spec.securityContext).toEqual(own.spec.securityContext);
    expect(own.metadata.labels).toMatchObject(changed.metadata.labels);
    // The pod's namespace has no ConfigMap, so an annotation has the same text.
    const text = changed.metadata.annotations['spread-sidecar/config'];
    expect(text).toBe(one(all, 'ConfigMap').data['config.yaml'].trim());
    await loadConfig({ file: { path: 'config.yaml', text } });
    expect(changed.spec.volumes).toContainEqual({
      name: 'spread-sidecar-config',
      downwardAPI: {
        items: [
          { path: 'config.yaml', fieldRef: { fieldPath: "metadata.annotations['spread-sidecar/config']" } },
        ],
      },
    });
    expect(changed.spec.volumes.map(({ name }: Yaml) => name)).toEqual(
      own.spec.volumes.map(({ name }: Yaml) => name),
    );
  });

  it('keeps all of its fields', async () => {
    const spec = {
      securityContext: { fsGroup: 7 },
      initContainers: [{ name: 'first', image: 'first:1' }],
      containers: [
        { name: 'plain', image: 'plain:1' },
        {
          name: 'rich',
          image: 'rich:1',
          env: [{ name: 'COLOUR', value: 'blue' }],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    };
    const before = pod(spec, { labels: { team: 'blue' }, annotations: { note: 'mine' } });
    const changed = admit(await policyOf(), before);
    expect(changed.metadata.labels).toEqual({ team: 'blue', 'spread-sidecar/release': 'rel' });
    expect(changed.metadata.annotations).toMatchObject({ note: 'mine' });
    expect(changed.spec.securityContext).toEqual({ fsGroup: 7 });
    expect(changed.spec.initContainers.map(({ name }: Yaml) => name)).toEqual(['spread-sidecar', 'first']);
    const [plain, rich] = changed.spec.containers;
    expect(rich.env).toEqual([...spec.containers[1]!.env!, ...plain.env]);
    expect(rich.volumeMounts).toEqual([...spec.containers[1]!.volumeMounts!, ...plain.volumeMounts]);
    expect(changed.spec.volumes[0]).toEqual(spec.volumes[0]);
  });

  it('has the daemon too, with daemon.mode container', async () => {
    const values = { daemon: { mode: 'container', image: 'spread:5.0.1' } };
    const changed = admit(await policyOf(values), pod({ containers: [{ name: 'app', image: 'app:1' }] }));
    expect(changed.spec.initContainers.map(({ name }: Yaml) => name)).toEqual(['spread', 'spread-sidecar']);
    expect(changed.metadata.annotations['spread-sidecar/spread-conf']).toContain('Spread_Segment');
  });

  it('is pulled with the Secrets of the release, after its own', async () => {
    const policy = await policyOf({ image: { pullSecrets: ['registry', 'mirror'] } });
    const plain = pod({ containers: [{ name: 'app', image: 'app:1' }] });
    expect(admit(policy, plain).spec.imagePullSecrets).toEqual([{ name: 'registry' }, { name: 'mirror' }]);
    const own = pod({ ...plain.spec, imagePullSecrets: [{ name: 'mine' }] });
    expect(admit(policy, own).spec.imagePullSecrets.map(({ name }: Yaml) => name)).toEqual([
      'mine',
      'registry',
      'mirror',
    ]);
    expect(admit(await policyOf(), plain).spec.imagePullSecrets).toBeUndefined();
  });

  it('finds the daemons of the release from another namespace', async () => {
    const values = {
      daemon: { mode: 'statefulSet', image: 'spread:5.0.1', statefulSet: { name: 'ring' } },
    };
    const changed = admit(await policyOf(values), pod({ containers: [{ name: 'app', image: 'app:1' }] }));
    expect(changed.metadata.annotations['spread-sidecar/config']).toContain('4803@ring.ns.svc');
  });

  it.each(['native', 'classic'])('keeps its own container first for kubectl, %s', async (mode) => {
    const policy = await policyOf({ sidecar: { mode } });
    const containers = [
      { name: 'app', image: 'app:1' },
      { name: 'helper', image: 'helper:1' },
    ];
    const first = (changed: Yaml) =>
      changed.metadata.annotations['kubectl.kubernetes.io/default-container'] ??
      changed.spec.containers[0].name;
    expect(first(admit(policy, pod({ containers })))).toBe('app');
    const annotations = { 'kubectl.kubernetes.io/default-container': 'helper' };
    expect(first(admit(policy, pod({ containers }, { annotations })))).toBe('helper');
  });

  it('is changed once', async () => {
    const policy = await policyOf();
    const changed = admit(policy, pod({ containers: [{ name: 'app', image: 'app:1' }] }));
    expect(admit(policy, changed)).toBeNull();
  });

  it.each([
    ['native', ['prepare', 'proxy']],
    ['classic', ['proxy']],
  ])(
    'gives the environment and the socket to init containers that run beside it, %s',
    async (mode, expected) => {
      const spec = {
        initContainers: [
          { name: 'prepare', image: 'prepare:1', env: [{ name: 'COLOUR', value: 'blue' }] },
          { name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' },
        ],
        containers: [{ name: 'app', image: 'app:1' }],
      };
      const changed = admit(await policyOf({ sidecar: { mode } }), pod(spec));
      const app = changed.spec.containers.at(-1);
      const own = changed.spec.initContainers.filter(({ name }: Yaml) => name !== 'spread-sidecar');
      expect(own.map(({ name }: Yaml) => name)).toEqual(['prepare', 'proxy']);
      const given = own.filter(({ volumeMounts }: Yaml) => volumeMounts?.length);
      expect(given.map(({ name }: Yaml) => name)).toEqual(expected);
      for (const { env, volumeMounts } of given) {
        expect(env.filter(({ name }: Yaml) => name !== 'COLOUR')).toEqual(app.env);
        expect(volumeMounts).toEqual(app.volumeMounts);
      }
      expect(own[0].env[0]).toEqual(spec.initContainers[0]!.env![0]);
    },
  );

  describe.each(['native', 'classic'])('with annotations, %s', (mode) => {
    const containers = [{ name: 'app', image: 'app:1' }];
    const sidecarOf = async (annotations: Record<string, string>, values: Yaml = {}) => {
      const policy = await policyOf({ ...values, sidecar: { mode, ...values.sidecar } });
      const { spec } = admit(policy, pod({ containers }, { annotations }));
      return [...(spec.initContainers ?? []), ...spec.containers].find(
        ({ name }: Yaml) => name === 'spread-sidecar',
      );
    };
    const environment = (sidecar: Yaml) =>
      Object.fromEntries(sidecar.env.map(({ name, value }: Yaml) => [name, value]));

    it.each([undefined, null, {}])('has its own resources, over %o', async (resources) => {
      const sidecar = await sidecarOf(
        {
          'spread-sidecar/cpu-request': '250m',
          'spread-sidecar/cpu-limit': '2',
          'spread-sidecar/memory-limit': '1Gi',
        },
        resources === undefined ? {} : { sidecar: { resources } },
      );
      expect(sidecar.resources.limits).toEqual({ cpu: '2', memory: '1Gi' });
      expect(sidecar.resources.requests).toMatchObject({ cpu: '250m' });
    });

    it('has its own value of every option', async () => {
      const open = optionRows.filter(({ secret }) => !secret);
      const annotations = open.map(({ key }) => [`spread-sidecar/config.${key}`, key]);
      const found = environment(await sidecarOf(Object.fromEntries(annotations)));
      for (const { key, environment: name } of open) expect(found[name], name).toBe(key);
    });

    it('closes its TCP port', async () => {
      const found = environment(await sidecarOf({ 'spread-sidecar/tcp': 'false' }));
      expect(found.SPREAD_SIDECAR_GRPC_LISTEN).toBe('unix:/run/spread-sidecar/grpc.sock');
      for (const annotations of [{ note: 'a' }, { 'spread-sidecar/tcp': 'true' }] as Record<string, string>[])
        expect(environment(await sidecarOf(annotations))).not.toHaveProperty('SPREAD_SIDECAR_GRPC_LISTEN');
    });

    it('is the one after a daemon in the pod', async () => {
      const daemon = { mode: 'container', image: 'spread:5.0.1' };
      const sidecar = await sidecarOf({ 'spread-sidecar/memory-limit': '1Gi' }, { daemon });
      expect(sidecar.resources.limits.memory).toBe('1Gi');
    });
  });

  it('is unchanged with hostNetwork, and its creator gets a warning', async () => {
    const all = await manifests(injection);
    const policy = one(all, 'MutatingAdmissionPolicy');
    const warning = one(all, 'ValidatingAdmissionPolicy');
    const binding = one(all, 'ValidatingAdmissionPolicyBinding');
    expect(binding.spec).toEqual({ policyName: warning.metadata.name, validationActions: ['Warn'] });
    const containers = [{ name: 'app', image: 'app:1' }];
    const [host, plain] = [pod({ hostNetwork: true, containers }), pod({ hostNetwork: false, containers })];
    expect(admit(policy, host)).toBeNull();
    expect(admit(policy, plain)).not.toBeNull();
    const message = 'spread-sidecar is not injected into pods with hostNetwork';
    expect(warnings(warning, host)).toEqual([expect.stringContaining(message)]);
    for (const quiet of [plain, pod({ containers })]) expect(warnings(warning, quiet)).toEqual([]);
    const workload = (template: Yaml) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'app' },
      spec: { template },
    });
    expect(warnings(warning, workload(host))).toEqual([expect.stringContaining(message)]);
    expect(warnings(warning, workload(plain))).toEqual([]);
    const isOut = { ...host, metadata: { labels: { 'spread-sidecar/inject': 'false' } } };
    expect(warnings(warning, isOut)).toEqual([]);
    expect(warnings(warning, workload(isOut))).toEqual([]);
    const byPod = one(
      await manifests({ ...injection, values: { injection: { optIn: 'pod' } } }),
      'ValidatingAdmissionPolicy',
    );
    const isIn = { ...host, metadata: { labels: { 'spread-sidecar/inject': 'enabled' } } };
    expect(warnings(byPod, workload(isIn))).toEqual([expect.stringContaining(message)]);
    expect(warnings(byPod, host)).toEqual([]);
    const { resourceRules } = warning.spec.matchConstraints;
    expect(resourceRules.flatMap(({ resources }: Yaml) => resources)).toContain('deployments');
  });

  it('passes Pod Security "restricted" if it did before', async () => {
    const all = await manifests({ files: [sample('external')] });
    const { containers, securityContext } = one(all, 'Deployment').spec.template.spec;
    const before = pod({ securityContext, containers: [{ ...containers[0], env: [], volumeMounts: [] }] });
    const after = admit(await policyOf(), before);
    expect(after.spec.initContainers).toHaveLength(1);
    expect(mistakes([before, after])).toEqual([]);
  });
});
