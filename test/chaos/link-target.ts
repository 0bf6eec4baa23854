import type { FaultProxy } from '../support/network/fault-proxy.js';
import type { Random } from './random.js';
import type { Target } from './target.js';

/** All faults, and their weights on the link of an application and on the link to the daemon. */
const WEIGHTS = {
  app: { latency: 3, throttle: 2, slice: 3, silence: 4, cut: 4, reset: 4, 'half-open': 3, refuse: 2 },
  // A cut, reset or half-open link to the daemon ends a mailbox, so that other faults must be frequent
  // enough.
  daemon: { latency: 4, throttle: 2, slice: 4, silence: 4, cut: 2, reset: 2, 'half-open': 2, refuse: 1 },
} as const;

/** A link through a proxy. */
export class LinkTarget implements Target {
  readonly name: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly #proxy: FaultProxy;

  constructor(side: keyof typeof WEIGHTS, app: number, proxy: FaultProxy) {
    this.name = `${side}:${app}`;
    this.weights = WEIGHTS[side];
    this.#proxy = proxy;
  }

  async strike(fault: string, plan: Random, note: (detail: string) => void): Promise<number> {
    return inflict(this.#proxy, fault as keyof (typeof WEIGHTS)['app'], plan, note);
  }

  async heal(): Promise<void> {
    this.#proxy.heal();
  }
}

/** Starts a fault and returns its duration. Unit: ms. */
function inflict(
  proxy: FaultProxy,
  fault: keyof (typeof WEIGHTS)['app'],
  plan: Random,
  note: (detail: string) => void,
): number {
  switch (fault) {
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
      // The longest exceeds the client's timeout for a silent stream.
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
