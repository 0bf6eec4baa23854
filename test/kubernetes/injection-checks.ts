import { strict as assert } from 'node:assert';
import { until } from '../support/until.js';
import { ALL_NETWORKS, type Check } from './check.js';
import { SIDECAR_IMAGE } from './images.js';
import type { KubernetesNode } from './node.js';
import { Release, type Values } from './release.js';
import { restrictedPod } from './restricted-pod.js';

const APP = restrictedPod({ user: 10_001 });
const image = ['--image', SIDECAR_IMAGE];

/** A release with injection, and a namespace that opts in. Both are removed at the end. */
export async function withInjection(
  node: KubernetesNode,
  { name, apps, security, values }: { name: string; apps: string; security: string; values: Values },
  use: (release: Release) => Promise<void>,
): Promise<void> {
  const release = new Release(node, name, {
    'workload.enabled': false,
    'injection.enabled': true,
    ...values,
  });
  try {
    release.install();
    node.kubectl('create', 'namespace', apps);
    const labels = ['spread-sidecar/inject=enabled', `pod-security.kubernetes.io/enforce=${security}`];
    node.kubectl('label', 'namespace', apps, ...labels);
    const probe = [
      '-n',
      apps,
      'run',
      'probe',
      ...image,
      `--overrides=${APP}`,
      '--dry-run=server',
      '-o',
      'yaml',
    ];
    // The API server looks for new policies once a second.
    await until(() => node.kubectl(...probe).includes('name: spread-sidecar'), {
      timeoutMs: 30_000,
      what: 'the policy to be in force',
    });
    await use(release);
  } finally {
    node.kubectl('delete', 'namespace', apps, '--ignore-not-found', '--timeout=180s');
    release.uninstall();
  }
}

export const INJECTION_CHECKS: readonly Check[] = [
  {
    name: 'injection',
    text: 'a pod of an opted-in, restricted namespace gets the sidecar and sends a message through it',
    needsSpread: false,
    networks: ALL_NETWORKS,
    run: (node, print) =>
      withInjection(
        node,
        { name: 'inject', apps: 'apps', security: 'restricted', values: { 'daemon.mode': 'embedded' } },
        async () => {
          const apps = (...args: string[]) => node.kubectl('--namespace', 'apps', ...args);
          apps('run', 'app', ...image, `--overrides=${APP}`);
          apps('wait', '--for=condition=Ready', 'pod/app', '--timeout=60s');
          apps('exec', 'app', '-c', 'app', '--', 'spread-sidecar', 'send', 'demo', '-m', 'hello');
          print('the injected sidecar has sent a message');
        },
      ),
  },
  {
    name: 'host-network',
    text: 'two pods with hostNetwork on one node get a warning and no sidecar, and both start',
    needsSpread: false,
    run: (node, print) =>
      withInjection(
        node,
        { name: 'inject', apps: 'host-apps', security: 'privileged', values: { 'daemon.mode': 'embedded' } },
        async () => {
          const namespace = ['--namespace', 'host-apps'];
          const overrides = restrictedPod({ user: 10_001, hostNetwork: true });
          const warning = 'spread-sidecar is not injected into pods with hostNetwork';
          const run = (name: string, ...more: string[]) =>
            node.warnings(...namespace, 'run', name, ...image, `--overrides=${overrides}`, ...more);
          await until(() => run('probe', '--dry-run=server').includes(warning), {
            timeoutMs: 30_000,
            what: 'the policy that warns to be in force',
          });
          for (const name of ['first', 'second']) assert.ok(run(name).includes(warning));
          node.kubectl(
            ...namespace,
            'wait',
            '--for=condition=Ready',
            'pod/first',
            'pod/second',
            '--timeout=60s',
          );
          for (const name of ['first', 'second']) {
            const { spec } = JSON.parse(node.kubectl(...namespace, 'get', 'pod', name, '-o', 'json'));
            assert.equal(spec.initContainers, undefined);
          }
          print('both pods run without a sidecar, and kubectl printed the warning');
        },
      ),
  },
];
