import { connect } from 'spread-sidecar-client';
import { until } from '../../support/until.js';
import { isReady, startEmbeddedDaemon, startSidecar } from '../servers/servers.js';
import { median } from '../statistics.js';
import type { Check, CheckedFigure } from './check.js';

const BOUND_MS = 2000;

/** Duration of the daemon's absence. By then, the backoff of the sidecar has reached its maximum. */
const AWAY_MS = 3000;

/**
 * A daemon is killed and starts again. Measures the time until the sidecar is ready, and until a reconnecting
 * mailbox is in its groups again.
 */
export const ready: Check<'rounds'> = {
  id: 'ready',
  text: `kill -9 of the daemon: ready again, and mailboxes restored, within ${BOUND_MS} ms of its restart`,
  options: { rounds: { text: 'number of kills', default: 10 } },
  async run({ rounds }, stage) {
    let daemon = await startEmbeddedDaemon(stage.settings);
    const sidecar = await startSidecar(stage.settings, stage.folder, daemon);
    try {
      const mailbox = await connect({ target: sidecar.tcpTarget, reconnect: {} });
      await mailbox.join('g', { awaitView: true });
      const readyMs: number[] = [];
      const restoredMs: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await daemon.kill();
        await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
        daemon = await startEmbeddedDaemon(stage.settings, daemon.port);
        const back = performance.now();
        const isReadyAgain = until(() => isReady(sidecar.adminPort), {
          timeoutMs: 30_000,
          what: 'the sidecar is ready',
        });
        const isRestored = (async () => {
          while ((await mailbox.receive()).kind !== 'connectionRestored');
        })();
        await Promise.all([
          isReadyAgain.then(() => readyMs.push(performance.now() - back)),
          isRestored.then(() => restoredMs.push(performance.now() - back)),
        ]);
      }
      await mailbox.disconnect();
      return [
        ...timesOf('sidecar ready again', readyMs),
        ...timesOf('mailbox restored with its groups', restoredMs),
      ];
    } finally {
      await sidecar.stop();
      await daemon.kill();
    }
  },
};

function timesOf(what: string, values: readonly number[]): readonly CheckedFigure[] {
  return [
    { name: `${what}, median`, value: median(values), unit: 'ms' },
    { name: `${what}, longest`, value: Math.max(...values), unit: 'ms', atMost: BOUND_MS },
  ];
}
