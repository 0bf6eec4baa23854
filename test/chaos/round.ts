import { until } from '../support/until.js';
import { App } from './app.js';
import { FaultSchedule, type Pace } from './fault-schedule.js';
import { History } from './history.js';
import { LinkTarget } from './link-target.js';
import { Observers } from './observers.js';
import { Random } from './random.js';
import type { RoundContext } from './round-context.js';
import { settle } from './settle.js';
import { noteStalls } from './stalls.js';
import type { World } from './world.js';

export interface RoundOptions {
  /** The seed of all random numbers. */
  readonly seed: string | number;
  /** The number of the round in its world. From 0. */
  readonly round: number;
  /** The round ends after this number of sent messages … */
  readonly messages: number;
  /** … and this number of faults. */
  readonly faults: number;
  /** Maximum duration of the round. Unit: ms. */
  readonly maxMs: number;
  /** The lease of mailboxes. At least 1000. Unit: ms. */
  readonly leaseMs: number;
  readonly groups: number;
  /** Maximum number of concurrent faults in links. */
  readonly lanes: number;
  /** Pause between two faults of processes and networks. Default: 0.2 to 2 s. */
  readonly pace?: Pace;
}

/** Less than the longest half-open link. Unit: ms. */
const KEEP_ALIVE_MS = 500;
/** A sidecar in another process may be delayed on a busy machine. Unit: ms. */
const PATIENT_KEEP_ALIVE_MS = 3000;
const WORLD_PACE: Pace = { least: 200, most: 2000 };

/**
 * Runs the applications of a world with faults, waits until everything has settled, and returns the history.
 */
export async function runRound(world: World, options: RoundOptions): Promise<History> {
  const { round, seed } = options;
  const random = new Random(seed);
  const groups = Array.from({ length: options.groups }, (_, i) => `chaos-${round}-${i}`);
  const history = new History();
  history.add({ kind: 'round', seed: String(seed), groups });
  const observers = await Observers.start(world.sites, groups, history);
  const endStalls = noteStalls(
    history,
    world.links.map((_, index) => `app:${index}`),
  );
  const end = new AbortController();
  const context: RoundContext = {
    round,
    history,
    observers,
    links: world.links,
    groups,
    leaseMs: options.leaseMs,
    keepAliveMs: world.targets.length > 0 ? PATIENT_KEEP_ALIVE_MS : KEEP_ALIVE_MS,
    boxes: new Set(),
    over: end.signal,
    sent: 0,
  };
  const apps = world.links.map((_, index) => new App(context, index, random.fork(`app ${index}`)).run());
  const schedule = new FaultSchedule(history, random.fork('faults'));
  const links = world.links.flatMap(({ app, daemon }, index) => [
    new LinkTarget('app', index, app),
    new LinkTarget('daemon', index, daemon),
  ]);
  const faults = Promise.all([
    schedule.breakLinks(links, options.lanes, end.signal),
    schedule.breakWorld(world.targets, options.pace ?? WORLD_PACE, end.signal, () => observers.whole()),
  ]);
  const began = performance.now();
  const work = Promise.all([...apps, faults]);
  try {
    const enough = () => context.sent >= options.messages && schedule.count >= options.faults;
    await Promise.race([
      work,
      until(() => enough() || performance.now() - began > options.maxMs, {
        timeoutMs: options.maxMs + 10_000,
      }),
    ]);
  } finally {
    end.abort();
    await work;
  }
  await settle(context).finally(endStalls);
  await observers.end();
  return history;
}
