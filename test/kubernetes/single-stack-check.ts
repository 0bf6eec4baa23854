import { strict as assert } from 'node:assert';
import { until } from '../support/until.js';
import type { Check } from './check.js';
import { Daemons } from './daemons.js';
import type { Release } from './release.js';

const SENTENCE =
  /the pod has no IPv4 address, only fd00:\S+, and Spread 5\.0\.1 has no IPv6: run the daemons on/;

/** Only the release's StatefulSet, for environments that create Services by other means. */
function applyDaemons(release: Release): void {
  const objects = release.template(
    'templates/daemon-statefulset.yaml',
    'templates/daemon-configmap.yaml',
    'templates/serviceaccount.yaml',
  );
  release.node.apply(objects, release.namespace);
}

export const SINGLE_STACK_CHECK: Check = {
  name: 'ipv6-daemons',
  text: 'an IPv6-only cluster rejects the StatefulSet of daemons, and a pod of it says what to do',
  needsSpread: true,
  networks: ['ipv6'],
  run: async (node, print) => {
    const daemons = new Daemons(node, 'sixes', 2);
    const { release } = daemons;
    try {
      assert.throws(
        () => daemons.install(),
        (error: { stderr?: string }) =>
          /spec\.ipFamilies\[0\]: Invalid value: "IPv4": not configured on this cluster/.test(
            error.stderr ?? '',
          ),
      );
      release.removeObjects();
      applyDaemons(release);
      const shown = await until(
        () => daemons.terminationMessages().find((message) => SENTENCE.test(message)),
        { timeoutMs: 60_000, what: 'the pods to say why they do not start' },
      );
      print(shown.trim());
    } finally {
      release.uninstall();
    }
  },
};
