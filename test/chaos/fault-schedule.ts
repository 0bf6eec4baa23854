import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from './history.js';
import type { Random } from './random.js';
import type { Target } from './target.js';

/** The pause of a lane between two faults. Unit: ms. */
export interface Pace {
  readonly least: number;
  readonly most: number;
}

const LINK_PACE: Pace = { least: 5, most: 120 };

/** Injects random faults into targets, several at a time but only one in each target, and ends them. */
export class FaultSchedule {
  readonly #history: History;
  readonly #random: Random;
  readonly #busy = new Set<Target>();
  /** Number of faults so far. */
  count = 0;

  constructor(history: History, random: Random) {
    this.#history = history;
    this.#random = random;
  }

  /** Continues until `signal`. Then all links are without faults. */
  async breakLinks(links: readonly Target[], lanes: number, signal: AbortSignal): Promise<void> {
    await Promise.all(
      Array.from({ length: lanes }, (_, i) =>
        this.#lane(links, this.#random.fork(`lane ${i}`), LINK_PACE, signal),
      ),
    );
  }

  /**
   * The same for processes and networks, one at a time. Often waits for `recovered` before the next fault.
   */
  async breakWorld(
    targets: readonly Target[],
    pace: Pace,
    signal: AbortSignal,
    recovered: () => Promise<void>,
  ): Promise<void> {
    if (targets.length > 0) await this.#lane(targets, this.#random.fork('world'), pace, signal, recovered);
  }

  async #lane(
    targets: readonly Target[],
    random: Random,
    pace: Pace,
    signal: AbortSignal,
    recovered?: () => Promise<void>,
  ): Promise<void> {
    while (!signal.aborted) {
      await pause(random.int(pace.least, pace.most), signal);
      const target = random.pick(targets);
      const fault = random.weighted(target.weights);
      // Drawn in any case, so that a busy target does not change later random numbers.
      const plan = random.fork(`${fault}${random.next()}`);
      const patient = random.chance(0.7);
      if (signal.aborted || this.#busy.has(target)) continue;
      await this.#strike(target, fault, plan, signal);
      if (patient) await recovered?.();
    }
  }

  async #strike(target: Target, fault: string, plan: Random, signal: AbortSignal): Promise<void> {
    const { name: link, affects } = target;
    this.#busy.add(target);
    this.count += 1;
    const ms = await target.strike(fault, plan, (detail) =>
      this.#history.add({ kind: 'fault', link, fault, detail, ...(affects && { affects }) }),
    );
    await pause(ms, signal);
    await target.heal();
    this.#history.add({ kind: 'healed', link, fault });
    this.#busy.delete(target);
  }
}

/** Waits for `ms`, or until `signal`. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
