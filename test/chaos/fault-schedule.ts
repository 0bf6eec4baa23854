import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../support/fault-proxy.js';
import type { History } from './history.js';
import type { Random } from './random.js';
import type { AppLinks } from './world.js';

/** Every fault, and how often each comes on the link of an application and on one to the daemon. */
const WEIGHTS = {
  app: { latency: 3, throttle: 2, slice: 3, silence: 4, cut: 4, reset: 4, 'half-open': 3, refuse: 2 },
  // Each cut, reset and half-open link to the daemon costs a mailbox: the others need time to work on one.
  daemon: { latency: 4, throttle: 2, slice: 4, silence: 4, cut: 2, reset: 2, 'half-open': 2, refuse: 1 },
} as const;

export type FaultKind = keyof (typeof WEIGHTS)['app'];

interface Link {
  readonly name: string;
  readonly side: 'app' | 'daemon';
  readonly proxy: FaultProxy;
}

/** Breaks links as chance says, several at a time but each link in one way only, and heals them. */
export class FaultSchedule {
  readonly #links: readonly Link[];
  readonly #history: History;
  readonly #random: Random;
  readonly #busy = new Set<Link>();
  /** Faults so far. */
  count = 0;

  constructor(links: readonly AppLinks[], history: History, random: Random) {
    this.#links = links.flatMap(({ app, daemon }, index): Link[] => [
      { name: `app:${index}`, side: 'app', proxy: app },
      { name: `daemon:${index}`, side: 'daemon', proxy: daemon },
    ]);
    this.#history = history;
    this.#random = random;
  }

  /** Goes on until `signal`; then every link is whole again. */
  async run(lanes: number, signal: AbortSignal): Promise<void> {
    const random = this.#random;
    const lane = async (chance: Random) => {
      while (!signal.aborted) {
        await pause(chance.int(5, 120), signal);
        const link = chance.pick(this.#links);
        const kind = chance.weighted<FaultKind>(WEIGHTS[link.side]);
        // Drawn in any case, so that a busy link does not change what comes after it.
        const plan = chance.fork(`${kind}${chance.next()}`);
        if (!signal.aborted && !this.#busy.has(link)) await this.#strike(link, kind, plan, signal);
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, i) => lane(random.fork(`lane ${i}`))));
  }

  async #strike(link: Link, kind: FaultKind, plan: Random, signal: AbortSignal): Promise<void> {
    this.#busy.add(link);
    this.count += 1;
    const ms = inflict(link.proxy, kind, plan, (detail) =>
      this.#history.add({ kind: 'fault', link: link.name, fault: kind, detail }),
    );
    await pause(ms, signal);
    link.proxy.heal();
    this.#history.add({ kind: 'healed', link: link.name, fault: kind });
    this.#busy.delete(link);
  }
}

/** Begins a fault and says how long it lasts. Unit: ms. */
function inflict(proxy: FaultProxy, kind: FaultKind, plan: Random, note: (detail: string) => void): number {
  switch (kind) {
    case 'latency': {
      const latencyMs = plan.int(2, 60);
      note(`${latencyMs} ms`);
      proxy.set({ latencyMs });
      return plan.int(50, 400);
    }
    case 'throttle': {
      const bytesPerSecond = plan.int(20_000, 300_000);
      note(`${bytesPerSecond} bytes/s`);
      proxy.set({ bytesPerSecond });
      return plan.int(50, 300);
    }
    case 'slice': {
      const sliceBytes = plan.int(1, 24);
      note(`${sliceBytes} bytes`);
      proxy.set({ sliceBytes });
      return plan.int(50, 300);
    }
    case 'silence':
      note('');
      proxy.silent = true;
      // The longest is more than the client's patience with a silent stream.
      return plan.chance(0.2) ? plan.int(600, 1000) : plan.int(20, 300);
    case 'cut':
      note(`${proxy.open} connections`);
      proxy.cut();
      return 0;
    case 'reset':
      note(`${proxy.open} connections`);
      proxy.reset();
      return 0;
    case 'half-open': {
      const standing = plan.pick(['client', 'server'] as const);
      note(`the ${standing} does not notice`);
      proxy.halfOpen(standing);
      return plan.int(20, 1200);
    }
    case 'refuse':
      note('');
      proxy.refusing = true;
      proxy.cut();
      return plan.int(20, 300);
  }
}

/** Waits, or less when `signal` comes. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
