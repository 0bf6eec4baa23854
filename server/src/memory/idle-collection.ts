import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Interval at which the process is checked. Unit: ms. */
const PERIOD_MS = 5000;
/** A process that has used less of one core than this since the last check is idle. */
const IDLE_SHARE = 0.02;
/** Smaller growth since the last collection does not justify another one. Unit: bytes. */
const WORTHWHILE_BYTES = 4 * 1024 * 1024;

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

  constructor(private readonly process: CollectedProcess) {
    this.#cpuMs = process.cpuMs();
  }

  /** Call it `elapsedMs` after the last call. */
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
      // The second collection frees the memory that the first one released, above all of buffers and native objects.
      collect();
    },
  });
  setInterval(() => collection.look(PERIOD_MS), PERIOD_MS).unref();
}

/** V8's own function. It exists only in contexts that are created while the flag is set. */
function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collector = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collector;
}
