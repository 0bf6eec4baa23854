import { formatAddress, parseAddress } from '../../server/src/spread/address.js';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { type DaemonChoice, startDaemons } from './daemons.js';
import { startSidecar } from './sidecars.js';
import type { Target } from './target.js';
import { ProcessTarget } from './world-targets.js';

export interface WorldOptions {
  /** Default: an embedded daemon in this process. */
  readonly daemon?: DaemonChoice;
  /** Number of applications, which are distributed evenly over the daemons. */
  readonly apps: number;
}

/** The two links of an application: to the sidecar, and from the sidecar to the daemon. */
export interface AppLinks {
  readonly app: FaultProxy;
  readonly daemon: FaultProxy;
  /** Index of its site. */
  readonly site: number;
}

/** A daemon with its sidecar and the links of the sidecar's applications. */
export interface Site {
  /** The daemon, without a faulty link. */
  readonly daemon: string;
  readonly links: readonly AppLinks[];
  /** Whether the daemon runs. */
  daemonRuns(): boolean;
}

/** Daemons, each with a sidecar, and a faulty network on both sides of the sidecars. */
export interface World {
  readonly sites: readonly Site[];
  /** The links of all applications. */
  readonly links: readonly AppLinks[];
  /** Processes, and the network between daemons, if they support faults. */
  readonly targets: readonly Target[];
  /** Logged errors of sidecars, and unexpected ends. There must be none. */
  readonly defects: string[];
  stop(): Promise<void>;
}

/** A sidecar starts faster, and its applications retry all the time. Unit: ms. */
const SIDECAR_TIMES = { away: [20, 500], still: [20, 2500] } as const;

/** Starts it on free ports of the loopback interface. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const end of stops.reverse()) await end();
  };
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= stopAll();
    return stopping;
  };
  const defects: string[] = [];
  const links: AppLinks[] = [];
  const sites: Site[] = [];
  const targets: Target[] = [];
  const open = async (to: Parameters<typeof FaultProxy.start>[0]) => {
    const proxy = await FaultProxy.start(to);
    stops.push(() => proxy.stop());
    return proxy;
  };
  try {
    const daemons = await startDaemons(options.daemon, stops);
    for (const [site, { name, process, times }] of daemons.list.entries()) {
      const address = parseAddress(name);
      const to =
        address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
      const apps = Array.from({ length: options.apps }, (_, i) => i).filter(
        (i) => i % daemons.list.length === site,
      );
      const toDaemon = await Promise.all(apps.map(() => open(to)));
      const daemon = formatAddress(address);
      const sidecar = await startSidecar({
        daemon,
        allow: toDaemon.map((link) => `${link.port}@127.0.0.1`),
        ownProcess: process !== undefined,
        defects,
      });
      stops.push(() => sidecar.stop());
      const own = await Promise.all(
        toDaemon.map(async (link) => ({ app: await open(sidecar.port), daemon: link, site })),
      );
      for (const [i, app] of apps.entries()) links[app] = own[i]!;
      const onDaemonSide = apps.map((app) => `daemon:${app}`);
      const onBothSides = [...apps.map((app) => `app:${app}`), ...onDaemonSide];
      const further = daemons.list.length > 1 ? ['network'] : [];
      const daemonTarget =
        process && new ProcessTarget(`daemon process:${site}`, [...onDaemonSide, ...further], process, times);
      if (daemonTarget) targets.push(daemonTarget);
      if (sidecar.process)
        targets.push(
          new ProcessTarget(`sidecar process:${site}`, onBothSides, sidecar.process, SIDECAR_TIMES),
        );
      sites.push({ daemon, links: own, daemonRuns: () => daemonTarget?.runs ?? true });
    }
    // As often as all daemons together.
    if (daemons.network) targets.push(...daemons.list.map(() => daemons.network!));
    return { sites, links, targets, defects, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
