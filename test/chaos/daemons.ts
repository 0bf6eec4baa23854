import { EmbeddedDaemon, listen } from '../../server/src/daemon/index.js';
import { DaemonProcess } from '../support/daemons/daemon-process.js';
import { RealSpread } from '../support/daemons/real-spread.js';
import { SpreadCluster } from '../support/daemons/spread-cluster.js';
import { isAvailable } from '../support/requirements.mjs';
import { freePort } from '../support/sidecars/serve-process.js';
import { Refusal } from './refusal.js';
import { NetworkTarget, type ProcessTimes, type Restartable } from './world-targets.js';

/**
 * A Spread name, the embedded daemon as a process, a real one from SPREAD_HOME, or several real ones, each in
 * a network namespace.
 */
export type DaemonChoice = { readonly name: string } | 'process' | 'real' | { readonly cluster: number };

/** A daemon. It has a process if it can be killed. */
export interface Daemon {
  /** Its Spread name. */
  readonly name: string;
  readonly process?: Restartable;
  readonly times: ProcessTimes;
}

export interface Daemons {
  readonly list: readonly Daemon[];
  readonly network?: NetworkTarget;
}

const TIMES: ProcessTimes = { away: [10, 800], still: [20, 2500] };
/** Other daemons notice a lost one after 0.6 s. Unit: ms. */
const CLUSTER_TIMES: ProcessTimes = { away: [10, 4000], still: [50, 4000] };

/**
 * Starts the daemons. Adds the functions that stop them to `stops`.
 *
 * @throws Error that names a missing requirement
 */
export async function startDaemons(
  choice: DaemonChoice | undefined,
  stops: (() => Promise<void>)[],
): Promise<Daemons> {
  if (choice === undefined) return { list: [{ name: await startInside(stops), times: TIMES }] };
  if (choice === 'process') return { list: [await startProcess(stops)] };
  if (choice === 'real') return { list: [await startReal(stops)] };
  if ('cluster' in choice) return startCluster(choice.cluster, stops);
  return { list: [{ name: choice.name, times: TIMES }] };
}

async function startInside(stops: (() => Promise<void>)[]): Promise<string> {
  const daemon = new EmbeddedDaemon({ name: 'localhost' });
  const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 } });
  stops.push(async () => {
    await listening.close();
    await daemon.close();
  });
  return `${listening.tcpPort}@127.0.0.1`;
}

async function startProcess(stops: (() => Promise<void>)[]): Promise<Daemon> {
  const process = new DaemonProcess(await freePort());
  stops.push(() => process.kill());
  await process.start();
  return { name: process.address, process, times: TIMES };
}

async function startReal(stops: (() => Promise<void>)[]): Promise<Daemon> {
  if (!process.env.SPREAD_HOME)
    throw new Refusal(
      'a real Spread daemon was asked for: set SPREAD_HOME to a Spread installation with sbin/spread',
    );
  const spread = await RealSpread.start();
  stops.push(() => spread.stop());
  return {
    name: `${spread.port}@127.0.0.1`,
    times: TIMES,
    process: {
      signal: (signal) => spread.signal(signal),
      kill: () => spread.kill(),
      start: () => spread.startAgain(),
    },
  };
}

async function startCluster(size: number, stops: (() => Promise<void>)[]): Promise<Daemons> {
  if (!isAvailable('spread-cluster'))
    throw new Refusal(
      'several real Spread daemons were asked for: that takes root on Linux with iproute2 and unshare, and SPREAD_HOME set to a Spread installation with sbin/spread',
    );
  const cluster = await SpreadCluster.start(size);
  stops.push(() => cluster.stop());
  const list = Array.from({ length: size }, (_, k): Daemon => {
    const i = k + 1;
    return {
      name: cluster.address(i),
      times: CLUSTER_TIMES,
      process: {
        signal: (signal) => cluster.signal(i, signal),
        kill: () => cluster.crash(i),
        // Callers retry until it accepts connections.
        start: async () => cluster.startDaemon(i),
      },
    };
  });
  return { list, network: new NetworkTarget(cluster) };
}
