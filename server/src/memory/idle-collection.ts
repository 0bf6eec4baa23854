import { getHeapStatistics } from 'node:v8';
import { garbageCollector } from './collector.js';

/** Interval at which the process is checked. Unit: ms. */
const PERIOD_MS = 5000;
const MIB = 1024 * 1024;

/** A load at which a collection is worth its pause. */
interface Occasion {
  /** Largest use of one core since the last check. */
  readonly share: number;
  /** Smallest growth since the last collection. Unit: bytes. */
  readonly growthBytes: number;
  /** Shortest time since the last collection. Unit: ms. */
  readonly restMs: number;
}

/** An idle process has nothing that a pause can delay. */
const IDLE: Occasion = { share: 0.02, growthBytes: 4 * MIB, restMs: 0 };
/**
 * A process with little work is never idle: the heartbeats of 750 streams without events use 3 % of a core. A rare pause of some tens
 * of milliseconds is acceptable when it frees much.
 */
const LITTLE_WORK: Occasion = { share: 0.1, growthBytes: 16 * MIB, restMs: 10_000 };

/** Reads and collects the memory of the process. Tests have their own. */
export interface CollectedProcess {
  /** Processor time so far. Unit: ms. */
  cpuMs(): number;
  /** The heap and the external buffers. Unit: bytes. */
  usedBytes(): number;
  /** Collects all garbage synchronously. */
  collect(): void;
}

/**
 * Decides when to collect garbage in an idle process. V8 collects when more is allocated, but an idle process
 * allocates nothing, so it would keep the garbage of a burst for as long as it is idle.
 */
export class IdleCollection {
  #cpuMs: number;
  #usedBytes = 0;
  #sinceCollectionMs = Number.POSITIVE_INFINITY;

  constructor(private readonly process: CollectedProcess) {
    this.#cpuMs = process.cpuMs();
  }

  /** Call it `elapsedMs` after the last call. */
  look(elapsedMs: number): void {
    const cpuMs = this.process.cpuMs();
    const share = (cpuMs - this.#cpuMs) / elapsedMs;
    this.#cpuMs = cpuMs;
    this.#sinceCollectionMs += elapsedMs;
    const used = this.process.usedBytes();
    // V8 has collected by itself.
    if (used < this.#usedBytes) this.#usedBytes = used;
    const isWorthwhile = (at: Occasion) =>
      share < at.share && used - this.#usedBytes >= at.growthBytes && this.#sinceCollectionMs >= at.restMs;
    if (!isWorthwhile(IDLE) && !isWorthwhile(LITTLE_WORK)) return;
    this.process.collect();
    this.#sinceCollectionMs = 0;
    this.#cpuMs = this.process.cpuMs();
    this.#usedBytes = this.process.usedBytes();
  }
}

/** Collects this process's garbage when it has little or no work. Does not keep the process alive. */
export function collectWhenIdle(): void {
  const collection = new IdleCollection({
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    usedBytes: () => {
      const { used_heap_size, external_memory } = getHeapStatistics();
      return used_heap_size + external_memory;
    },
    collect: () => {
      const collect = garbageCollector();
      collect();
      // The second collection frees the memory that the first one released, above all of buffers and native objects.
      collect();
    },
  });
  setInterval(() => collection.look(PERIOD_MS), PERIOD_MS).unref();
}
