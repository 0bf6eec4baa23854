import { connect } from 'spread-sidecar-client';
import { DaemonProcess } from '../support/daemons/daemon-process.js';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { until } from '../support/until.js';
import type { Measure } from './measure.js';
import { percentile } from './percentiles.js';

const BOUND_MS = 2000;

/** Duration of the daemon's absence. By then, the backoff of the sidecar has reached its maximum. */
const AWAY_MS = 3000;

/**
 * A daemon is killed and starts again. Measures the time until the sidecar is ready, and until a reconnecting
 * mailbox is in its groups again.
 */
export const ready: Measure = {
  text: `kill -9 of the daemon: ready again, and mailboxes restored, within ${BOUND_MS} ms of its restart`,
  options: { rounds: { text: 'number of kills', default: 10 } },
  async run({ rounds = 10 }, print) {
    const [daemonPort, grpcPort, adminPort] = [await freePort(), await freePort(), await freePort()];
    const daemon = new DaemonProcess(daemonPort);
    await daemon.start();
    const sidecar = new ServeProcess([
      ...['--daemon-addresses', daemon.address],
      ...['--grpc-listen', `127.0.0.1:${grpcPort}`],
      ...['--admin-listen', `127.0.0.1:${adminPort}`],
    ]);
    try {
      await sidecar.ready(adminPort);
      const mailbox = await connect({ target: `127.0.0.1:${grpcPort}`, reconnect: {} });
      await mailbox.join('g', { awaitView: true });
      const readyMs: number[] = [];
      const restoredMs: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await daemon.kill();
        await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
        await daemon.start();
        const back = performance.now();
        const isReady = until(() => isReadyAt(adminPort), {
          timeoutMs: 30_000,
          what: 'the sidecar is ready',
        });
        const isRestored = (async () => {
          while ((await mailbox.receive()).kind !== 'connectionRestored');
        })();
        await Promise.all([
          isReady.then(() => readyMs.push(performance.now() - back)),
          isRestored.then(() => restoredMs.push(performance.now() - back)),
        ]);
      }
      await mailbox.disconnect();
      for (const [what, values] of [
        ['sidecar ready again', readyMs],
        ['mailbox restored with its groups', restoredMs],
      ] as const)
        print(
          `${what}: median ${percentile(values, 0.5).toFixed(0)} ms, longest ${percentile(values, 1).toFixed(0)} ms (${rounds} rounds)`,
        );
      return Math.max(...readyMs, ...restoredMs) <= BOUND_MS;
    } finally {
      await sidecar.end();
      await daemon.kill();
    }
  },
};

async function isReadyAt(adminPort: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.ok ?? false;
}
