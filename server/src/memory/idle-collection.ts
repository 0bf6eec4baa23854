import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often it is looked whether the process is idle. Unit: ms. */
const PERIOD_MS = 5000;
/** A process that used less of one core than this since the last look is idle. */
const IDLE_SHARE = 0.02;
/** Less that has been added since the last collection is not worth one. Unit: bytes. */
const WORTHWHILE_BYTES = 4 * 1024 * 1024;

/** What is looked at and done; a test has its own. */
export interface CollectedProcess {
  /** Processor time so far. Unit: ms. */
  cpuMs(): number;
  /** The heap and the buffers outside of it. Unit: bytes. */
  usedBytes(): number;
  /** Collects all garbage, at once. */
  collect(): void;
}

/**
 * Decides when garbage is collected that nothing else would: V8 collects when more is allocated, and a process that
 * has become idle allocates nothing, so it would hold what a burst left behind for as long as it is idle.
 */
export class IdleCollection {
  #cpuMs: number;
  #usedBytes = 0;

  constructor(private readonly process: CollectedProcess) {
    this.#cpuMs = process.cpuMs();
  }

  /** To be called `elapsedMs` after the last time. */
  look(elapsedMs: number): void {
    const cpuMs = this.process.cpuMs();
    const idle = cpuMs - this.#cpuMs < elapsedMs * IDLE_SHARE;
    this.#cpuMs = cpuMs;
    if (!idle) return;
    const used = this.process.usedBytes();
    // V8 has collected by itself.
    if (used < this.#usedBytes) this.#usedBytes = used;
    if (used - this.#usedBytes < WORTHWHILE_BYTES) return;
    this.process.collect();
    this.#cpuMs = this.process.cpuMs();
    this.#usedBytes = this.process.usedBytes();
  }
}

/** Collects this process's garbage when it is idle. Does not keep the process alive. */
export function collectWhenIdle(): void {
  let collect: (() => void) | undefined;
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
      collect ??= exposedCollector();
      collect();
      // What the first time let go of, above all the memory of buffers and of native objects, goes with the second.
      collect();
    },
  });
  setInterval(() => collection.look(PERIOD_MS), PERIOD_MS).unref();
}

/** V8's own function, which is in a context that is made while the flag is set, and in no other. */
function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collector = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collector;
}
