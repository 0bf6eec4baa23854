import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { manifests, one, sample } from '../support/chart/helm.js';
import { RealSpread } from '../support/daemons/real-spread.js';
import { isAvailable } from '../support/requirements.mjs';

// Without SocketPortReuse, a daemon that had clients cannot start again for a minute ("Address already in use").
it.skipIf(!isAvailable('helm') || !isAvailable('spread-home'))(
  'a real daemon with the spread.conf of the StatefulSet restarts immediately in its pod',
  { timeout: 60_000 },
  async () => {
    const all = await manifests({
      files: [sample('statefulset')],
      values: { daemon: { statefulSet: { replicas: 1, name: 'ring' } } },
    });
    const text: string = one(all, 'ConfigMap', 'rel-spread-sidecar-daemon').data['spread.conf'];
    const spread = await RealSpread.start({
      segment: (port) =>
        text.replaceAll(':4803', `:${port}`).replace('ring-0 {ring-0.ring-nodes}', 'localhost 127.0.0.1'),
    });
    onTestFinished(() => spread.stop());
    const client = connect(spread.port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    await once(client, 'connect');
    const closed = once(client.resume(), 'close');
    await spread.kill();
    await closed;
    await expect(spread.startAgain()).resolves.toBeUndefined();
  },
);
