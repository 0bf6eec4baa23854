import { strict as assert } from 'node:assert';
import { ALL_NETWORKS, type Check, type Print, WITH_IPV4 } from './check.js';
import { SPREAD_IMAGE } from './images.js';
import type { KubernetesNode } from './node.js';
import { Release, type Values } from './release.js';

/** Installs the chart, runs `spread-sidecar check` in a running sidecar and `helm test`, and removes the chart. */
function mode(check: Omit<Check, 'run'>, values: Values): Check {
  const run = async (node: KubernetesNode, print: Print) => {
    const release = new Release(node, check.name, { ...values });
    const began = Date.now();
    try {
      release.install();
      print(`installed and ready in ${((Date.now() - began) / 1000).toFixed(1)} s`);
      // The check recognizes the socket and the ports of the running sidecar.
      release.exec(`deployment/${check.name}-spread-sidecar`, 'spread-sidecar', 'spread-sidecar', 'check');
      assert.match(release.test(), /Phase:\s+Succeeded/);
    } finally {
      release.uninstall();
    }
  };
  return { ...check, run };
}

export const MODE_CHECKS: readonly Check[] = [
  mode(
    {
      name: 'embedded',
      text: 'native sidecars with the embedded daemon',
      needsSpread: false,
      networks: ALL_NETWORKS,
    },
    { 'daemon.mode': 'embedded' },
  ),
  mode(
    {
      name: 'classic',
      text: 'classic sidecars with a real daemon in the pod',
      needsSpread: true,
      networks: ALL_NETWORKS,
    },
    { 'sidecar.mode': 'classic', 'daemon.mode': 'container', 'daemon.image': SPREAD_IMAGE },
  ),
  mode(
    {
      name: 'container',
      text: 'native sidecars with a real daemon in the pod',
      needsSpread: true,
      networks: ALL_NETWORKS,
    },
    { 'daemon.mode': 'container', 'daemon.image': SPREAD_IMAGE },
  ),
  mode(
    {
      name: 'statefulset',
      text: 'three real daemons in a StatefulSet',
      needsSpread: true,
      networks: WITH_IPV4,
    },
    { 'daemon.mode': 'statefulSet', 'daemon.image': SPREAD_IMAGE },
  ),
];
