import { strict as assert } from 'node:assert';
import { until } from '../support/until.js';
import { Daemons } from './daemons.js';
import { SIDECAR_IMAGE, SPREAD_IMAGE } from './images.js';
import type { KubernetesNode } from './node.js';
import { Release } from './release.js';

interface Check {
  readonly name: string;
  readonly text: string;
  readonly needsSpread: boolean;
  readonly run: (node: KubernetesNode, print: (line: string) => void) => Promise<void>;
}

/** Installs the chart, runs `helm test`, and removes it. */
function mode(
  name: string,
  text: string,
  needsSpread: boolean,
  values: Record<string, string | number | boolean>,
): Check {
  const run = async (node: KubernetesNode, print: (line: string) => void) => {
    const release = new Release(node, name, { ...values });
    const began = Date.now();
    try {
      release.install();
      print(`installed and ready in ${((Date.now() - began) / 1000).toFixed(1)} s`);
      assert.match(release.test(), /Phase:\s+Succeeded/);
    } finally {
      release.uninstall();
    }
  };
  return { name, text, needsSpread, run };
}

/** A ring of daemons for one check. */
async function withDaemons(
  node: KubernetesNode,
  name: string,
  replicas: number,
  use: (daemons: Daemons) => Promise<void>,
): Promise<void> {
  const daemons = new Daemons(node, name, replicas);
  try {
    daemons.install();
    await daemons.complete(Date.now());
    await use(daemons);
  } finally {
    daemons.release.uninstall();
  }
}

/** An application as Pod Security "restricted" demands it, in a namespace of its own. */
const APP = JSON.stringify({
  spec: {
    automountServiceAccountToken: false,
    containers: [
      {
        name: 'app',
        image: SIDECAR_IMAGE,
        command: ['sleep', '3600'],
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 10001,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
      },
    ],
  },
});

export const CHECKS: readonly Check[] = [
  mode('embedded', 'native sidecars with the embedded daemon', false, { 'daemon.mode': 'embedded' }),
  mode('classic', 'classic sidecars with a real daemon in the pod', true, {
    'sidecar.mode': 'classic',
    'daemon.mode': 'container',
    'daemon.image': SPREAD_IMAGE,
  }),
  mode('container', 'native sidecars with a real daemon in the pod', true, {
    'daemon.mode': 'container',
    'daemon.image': SPREAD_IMAGE,
  }),
  mode('statefulset', 'three real daemons in a StatefulSet', true, {
    'daemon.mode': 'statefulSet',
    'daemon.image': SPREAD_IMAGE,
  }),
  {
    name: 'pod-replacement',
    text: 'after a pod of 5 was replaced, the ring is complete within 10 s, and no other daemon was restarted',
    needsSpread: true,
    run: (node, print) =>
      withDaemons(node, 'swap', 5, async (daemons) => {
        for (const pod of ['swap-4', 'swap-0']) {
          const others = daemons
            .pods()
            .map(({ metadata }) => metadata.name)
            .filter((one) => one !== pod);
          const before = others.map((one) => daemons.processId(one));
          const began = Date.now();
          daemons.release.kubectl('delete', 'pod', pod, '--wait=false');
          const seconds = await daemons.complete(began);
          print(`${pod} replaced: ring of 5 after ${seconds.toFixed(1)} s`);
          assert.deepEqual(
            others.map((one) => daemons.processId(one)),
            before,
          );
          assert.equal(daemons.restarts(), 0);
          assert.ok(seconds <= 10, `${seconds} s`);
        }
      }),
  },
  {
    name: 'rollout',
    text: 'rollout of 8 daemons within 60 s, by a restart and by a changed extraConf, without restarts by the kubelet',
    needsSpread: true,
    run: (node, print) =>
      withDaemons(node, 'roll', 8, async (daemons) => {
        let began = Date.now();
        daemons.release.kubectl('rollout', 'restart', 'statefulset/roll');
        const restart = await rolledOut(daemons, 'roll', began);
        print(`rollout restart of 8: ${restart.toFixed(1)} s`);
        began = Date.now();
        daemons.release.upgrade({ 'daemon.extraConf': 'MaxSessionMessages = 5000' });
        const upgrade = await rolledOut(daemons, 'roll', began);
        print(`helm upgrade of 8 with another extraConf: ${upgrade.toFixed(1)} s`);
        assert.equal(daemons.restarts(), 0);
        assert.ok(Math.max(restart, upgrade) <= 60, `${restart} s, ${upgrade} s`);
      }),
  },
  {
    name: 'scaling',
    text: 'scaling from 3 to 4 daemons, without restarts by the kubelet',
    needsSpread: true,
    run: (node, print) =>
      withDaemons(node, 'grow', 3, async (daemons) => {
        const began = Date.now();
        daemons.scale(4);
        const seconds = await rolledOut(daemons, 'grow', began);
        print(`3 to 4: ring of 4 after ${seconds.toFixed(1)} s`);
        assert.equal(daemons.restarts(), 0);
        assert.ok(seconds <= 60, `${seconds} s`);
      }),
  },
  {
    name: 'addresses-death',
    text: 'kill -9 of the addresses process, twice, does not affect the daemon or the readiness of its pod',
    needsSpread: true,
    run: (node, print) =>
      withDaemons(node, 'kill', 3, async (daemons) => {
        const before = daemons.processId('kill-0');
        const script =
          'cd /proc; for p in [0-9]*; do read -r c <$p/comm; case $c in node*|MainThread) kill -9 $p;; esac; done; true';
        for (let round = 0; round < 2; round++) {
          daemons.release.kubectl('exec', 'kill-0', '-c', 'addresses', '--', 'sh', '-c', script);
          const until = Date.now() + 5000;
          while (Date.now() < until) {
            const [pod] = daemons.pods();
            assert.ok(
              pod!.status.conditions!.every(({ type, status }) => type !== 'Ready' || status === 'True'),
            );
            await new Promise((resolve) => setTimeout(resolve, 500));
          }
        }
        await daemons.complete(Date.now(), 30_000);
        assert.equal(daemons.processId('kill-0'), before);
        assert.equal(daemons.restarts(), 0);
        print('the daemon and the readiness of its pod are unchanged');
      }),
  },
  {
    name: 'injection',
    text: 'a pod of an opted-in, restricted namespace gets the sidecar and sends a message through it',
    needsSpread: false,
    run: async (node, print) => {
      const release = new Release(node, 'inject', {
        'daemon.mode': 'embedded',
        'workload.enabled': false,
        'injection.enabled': true,
      });
      try {
        release.install();
        node.kubectl('create', 'namespace', 'apps');
        node.kubectl(
          ...['label', 'namespace', 'apps', 'spread-sidecar/inject=enabled'],
          'pod-security.kubernetes.io/enforce=restricted',
        );
        const run = ['--namespace', 'apps', 'run', 'app', '--image', SIDECAR_IMAGE, `--overrides=${APP}`];
        // The API server takes up a new policy after some seconds.
        await until(
          () => node.kubectl(...run, '--dry-run=server', '-o', 'yaml').includes('name: spread-sidecar'),
          {
            timeoutMs: 30_000,
            what: 'the policy to be in force',
          },
        );
        node.kubectl(...run);
        node.kubectl('--namespace', 'apps', 'wait', '--for=condition=Ready', 'pod/app', '--timeout=60s');
        const send = ['exec', 'app', '-c', 'app', '--', 'spread-sidecar', 'send', 'demo', '-m', 'hello'];
        node.kubectl('--namespace', 'apps', ...send);
        print('the injected sidecar has sent a message');
      } finally {
        node.kubectl('delete', 'namespace', 'apps', '--ignore-not-found', '--timeout=120s');
        release.uninstall();
      }
    },
  },
];

/** Waits for the end of a rollout and the whole ring; returns the seconds since `began`. */
async function rolledOut(daemons: Daemons, name: string, began: number): Promise<number> {
  daemons.release.kubectl('rollout', 'status', `statefulset/${name}`, '--timeout', '600s');
  return daemons.complete(began, 600_000);
}
