import { strict as assert } from 'node:assert';
import { attackAdminPort } from '../attack/admin-port.js';
import { until } from '../support/until.js';
import { ALL_NETWORKS, type Check } from './check.js';
import { SIDECAR_IMAGE, SPREAD_IMAGE } from './images.js';
import { Release } from './release.js';
import { restrictedPod } from './restricted-pod.js';

/** The user and the group of volumes that OpenShift assigns to a namespace. */
const RANDOM_ID = 1_000_660_000;

/**
 * Sets user and group of pods like OpenShift's restricted-v2: only if a pod and its containers do not set them.
 */
function assignUsers(namespace: string): string {
  const policy = { apiVersion: 'admissionregistration.k8s.io/v1beta1', metadata: { name: 'assign-users' } };
  const ids = `Object.spec.securityContext{runAsUser: ${RANDOM_ID}, fsGroup: ${RANDOM_ID}}`;
  const objects = [
    {
      ...policy,
      kind: 'MutatingAdmissionPolicy',
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        mutations: [
          {
            patchType: 'ApplyConfiguration',
            applyConfiguration: { expression: `Object{spec: Object.spec{securityContext: ${ids}}}` },
          },
        ],
      },
    },
    { ...policy, kind: 'MutatingAdmissionPolicyBinding', spec: { policyName: 'assign-users' } },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly podIP: string;
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
    readonly initContainerStatuses: readonly { readonly name: string; readonly restartCount: number }[];
  };
}

function workloadPod(release: Release): Pod {
  const selector = 'app.kubernetes.io/component=workload';
  return JSON.parse(release.kubectl('get', 'pods', '-l', selector, '-o', 'json')).items[0];
}

export const SIDECAR_CHECKS: readonly Check[] = [
  {
    name: 'random-user',
    text: 'sidecar, daemon and application under a user and a group that the platform assigns, as on OpenShift',
    needsSpread: true,
    run: async (node, print) => {
      const release = new Release(node, 'anyone', {
        'daemon.mode': 'container',
        'daemon.image': SPREAD_IMAGE,
        'sidecar.runAsUser': null,
        'sidecar.fsGroup': null,
        'workload.runAsUser': null,
        'daemon.runAsUser': null,
      });
      try {
        release.createNamespace();
        node.apply(assignUsers(release.namespace));
        const probe = ['run', 'probe', '--image', SIDECAR_IMAGE, `--overrides=${restrictedPod()}`];
        // The API server applies a new policy after some seconds.
        await until(
          () =>
            release.kubectl(...probe, '--dry-run=server', '-o', 'yaml').includes(`runAsUser: ${RANDOM_ID}`),
          { timeoutMs: 30_000, what: 'the policy to be in force' },
        );
        release.install();
        const pod = workloadPod(release);
        const ids = 'console.log(process.getuid(), process.getgid(), process.getgroups().includes(FS))';
        const script = ids.replace('FS', `${RANDOM_ID}`);
        for (const container of ['spread-sidecar', 'app'])
          assert.equal(
            release.exec(pod.metadata.name, container, 'node', '-e', script).trim(),
            `${RANDOM_ID} 0 true`,
          );
        assert.match(release.test(), /Phase:\s+Succeeded/);
        print(`runs under user ${RANDOM_ID} of group 0`);
      } finally {
        node.kubectl(
          'delete',
          'mutatingadmissionpolicybinding,mutatingadmissionpolicy',
          'assign-users',
          '--ignore-not-found',
        );
        release.uninstall();
      }
    },
  },
  {
    name: 'admin-attacks',
    text: 'attacks on the admin port of a pod with the default resources cause no restart, and /livez answers',
    needsSpread: false,
    networks: ALL_NETWORKS,
    run: async (node, print) => {
      const release = new Release(node, 'attacked', { 'daemon.mode': 'embedded' });
      try {
        release.install();
        const { podIP: host } = workloadPod(release).status;
        // Longer than the kubelet's time limit for a sidecar: 3 probes, one every 10 s.
        const problems = await attackAdminPort(host, 4814, { pipeliningRounds: 2, print });
        const { initContainerStatuses, conditions } = workloadPod(release).status;
        assert.deepEqual(problems, []);
        assert.deepEqual(
          initContainerStatuses.map(({ name, restartCount }) => [name, restartCount]),
          [['spread-sidecar', 0]],
        );
        assert.equal(conditions.find(({ type }) => type === 'Ready')?.status, 'True');
      } finally {
        release.uninstall();
      }
    },
  },
];
