import { cpuSeconds } from './process-meter.js';
import type { Server } from './servers/server-process.js';

/** Measures the processor time that processes use from the construction of the meter on. */
export class LoadMeter {
  readonly #startedAt = performance.now();
  readonly #before: readonly (number | undefined)[];

  constructor(private readonly servers: readonly Pick<Server, 'name' | 'pid'>[]) {
    this.#before = servers.map(({ pid }) => cpuSeconds(pid));
  }

  /** Seconds since the construction. */
  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** Processor seconds by name since the construction. Omits processes that cannot be read. */
  cpuSeconds(): Record<string, number> {
    const used: Record<string, number> = {};
    for (const [index, { name, pid }] of this.servers.entries()) {
      const [before, after] = [this.#before[index], cpuSeconds(pid)];
      if (before !== undefined && after !== undefined) used[name] = (used[name] ?? 0) + after - before;
    }
    return used;
  }
}

/** The processor time of each process as a share of one core, and in microseconds per message. */
export function loadFigures(
  cpu: Readonly<Record<string, number>>,
  seconds: number,
  messages: number,
): { load: Record<string, number>; figures: Record<string, number> } {
  const load: Record<string, number> = {};
  const figures: Record<string, number> = {};
  for (const [name, used] of Object.entries(cpu)) {
    load[name] = used / seconds;
    figures[`${name} CPU`] = (used * 1e6) / messages;
  }
  return { load, figures };
}
