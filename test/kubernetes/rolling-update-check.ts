import { strict as assert } from 'node:assert';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type OrderTally, tallyOrders } from '../support/sidecars/order-journal.js';
import { until } from '../support/until.js';
import type { Check } from './check.js';
import { importOrders, ORDERS_FOLDER, SPREAD_IMAGE } from './images.js';
import { withInjection } from './injection-checks.js';
import type { KubernetesNode } from './node.js';

const NAMESPACE = 'orders';
const UPDATES = 4;

/** The volume for the claim in consumer.yaml. */
const journalVolume = (path: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'journal' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: { namespace: NAMESPACE, name: 'journal' },
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path },
    },
  });

/**
 * Applies the files of docs/rolling-updates.md and updates the consumer under traffic. Returns the content of the
 * journal afterwards.
 */
async function updateUnderTraffic(node: KubernetesNode, journal: string): Promise<OrderTally> {
  const orders = (...args: string[]) => node.kubectl('--namespace', NAMESPACE, ...args);
  const rolledOut = (name: string) => orders('rollout', 'status', `deployment/${name}`, '--timeout=180s');
  const grow = async (messages = 200) => {
    const before = tallyOrders(journal).accepted;
    const hasGrown = async () => {
      await setTimeout(200);
      return tallyOrders(journal).accepted >= before + messages;
    };
    await until(hasGrown, { timeoutMs: 60_000, what: `${messages} further messages` });
  };
  orders('apply', '--filename', join(ORDERS_FOLDER, 'consumer.yaml'));
  rolledOut('consumer');
  orders('apply', '--filename', join(ORDERS_FOLDER, 'producer.yaml'));
  rolledOut('producer');
  await grow();
  for (let update = 0; update < UPDATES; update++) {
    orders('rollout', 'restart', 'deployment/consumer', ...(update === 1 ? ['deployment/producer'] : []));
    rolledOut('consumer');
    await grow();
  }
  rolledOut('producer');
  // The pods of earlier updates may still process their queues.
  await until(() => consumers(orders).length === 1, { timeoutMs: 120_000, what: 'one consumer' });
  node.killContainer(consumers(orders)[0]!.containerID);
  await until(() => consumers(orders).some(({ restartCount, ready }) => restartCount === 1 && ready), {
    timeoutMs: 120_000,
    what: 'the restart of the application',
  });
  await grow();
  orders('scale', 'deployment/producer', '--replicas=0');
  orders('wait', '--for=delete', 'pod', '--selector=app=producer', '--timeout=120s');
  const isProcessed = async () => {
    await setTimeout(200);
    return tallyOrders(journal).missing.length === 0;
  };
  await until(isProcessed, { timeoutMs: 60_000 }).catch(() => undefined);
  return tallyOrders(journal);
}

interface Container {
  readonly containerID: string;
  readonly restartCount: number;
  readonly ready: boolean;
}

function consumers(orders: (...args: string[]) => string): Container[] {
  const { items } = JSON.parse(orders('get', 'pods', '--selector=app=consumer', '-o', 'json'));
  return items.map(
    ({ status }: { status: { containerStatuses: Container[] } }) => status.containerStatuses[0],
  );
}

export const ROLLING_UPDATE_CHECK: Check = {
  name: 'rolling-update',
  text: 'rolling updates of a consumer under traffic, with real daemons: every accepted message is processed',
  needsSpread: true,
  run: async (node, print) => {
    const journal = mkdtempSync(join(tmpdir(), 'spk-journal-'));
    chmodSync(journal, 0o777);
    importOrders(node);
    const values = {
      'daemon.mode': 'statefulSet',
      'daemon.image': SPREAD_IMAGE,
      'daemon.statefulSet.replicas': 2,
      'daemon.statefulSet.name': 'rollring',
    };
    try {
      node.apply(journalVolume(journal));
      await withInjection(
        node,
        { name: 'rolling', apps: NAMESPACE, security: 'restricted', values },
        async () => {
          const { accepted, processed, duplicates, missing } = await updateUnderTraffic(node, journal);
          print(
            `${accepted} accepted, ${processed} processed, ${duplicates} of them again, ${missing.length} missing`,
          );
          assert.ok(accepted >= 200 * (UPDATES + 2));
          assert.deepEqual(missing.slice(0, 10), []);
        },
      );
    } finally {
      node.kubectl('delete', 'persistentvolume', 'journal', '--ignore-not-found', '--timeout=60s');
      rmSync(journal, { recursive: true, force: true });
    }
  },
};
