import type { MetricBoard, MetricSet } from './metric-board.js';
import { daemonMetrics, embeddedMetrics } from './metrics-table.js';

export interface DaemonMetricsOptions {
  /** The default daemons, as Spread names. */
  readonly daemons: readonly string[];
  /** Names of all Spread errors. */
  readonly spreadCodes: readonly string[];
}

/** The daemons that mailboxes connect to. */
export function daemonMetricSet(board: MetricBoard, options: DaemonMetricsOptions): MetricSet {
  const addresses = new Set(options.daemons);
  const showUp = (up?: string) => {
    for (const address of addresses) board.set(daemonMetrics.up, address === up ? 1 : 0, { address });
  };
  showUp();
  for (const outcome of ['success', 'failure']) board.set(daemonMetrics.connects, 0, { outcome });
  for (const code of options.spreadCodes) board.set(daemonMetrics.errors, 0, { code });
  return {
    rows: Object.values(daemonMetrics),
    events: {
      daemon: {
        up: (daemon) => {
          addresses.add(daemon);
          showUp(daemon);
        },
        down: () => showUp(),
        roundTrip: (seconds) => board.set(daemonMetrics.roundTrip, seconds),
      },
      mailbox: {
        opened: () => board.inc(daemonMetrics.connects, { outcome: 'success' }),
        connectFailed: () => board.inc(daemonMetrics.connects, { outcome: 'failure' }),
        reconnected: () => board.inc(daemonMetrics.connects, { outcome: 'success' }),
        reconnectFailed: () => board.inc(daemonMetrics.connects, { outcome: 'failure' }),
      },
      grpc: { spreadError: (code) => board.inc(daemonMetrics.errors, { code }) },
    },
  };
}

/** The embedded daemon. */
export function embeddedMetricSet(board: MetricBoard): MetricSet {
  const names = Object.keys(embeddedMetrics) as (keyof typeof embeddedMetrics)[];
  return {
    rows: Object.values(embeddedMetrics),
    update: ({ embeddedDaemon }) => {
      if (!embeddedDaemon) return;
      for (const name of names) board.set(embeddedMetrics[name], embeddedDaemon[name]);
    },
  };
}
