import { setFlagsFromString } from 'node:v8';
import { isSmallContainer, processMemory } from './process-memory.js';

/** V8 collects the whole heap after it has grown by this part since the last collection. Unit: percent. */
const LARGE_GROWTH = 300;
const SMALL_GROWTH = 50;

/**
 * How far V8's heap may grow between two collections of the whole heap.
 *
 * V8 chooses a factor between 1.1 and 4. For a small heap with megabytes of short-lived buffers, it chooses badly:
 * with messages of 100 KB it collected every 50 ms, which used more than half of the processor time. So the factor
 * is 4. The peak resident memory is unchanged, because short-lived buffers are freed by the small collections.
 * `docs/benchmarks.md` has the figures. In a container of 128 MiB on Node 24, the heap's own garbage then filled
 * the container, so a small container has the factor 1.5: `docs/attack-results.md`.
 *
 * @param containerBytes - memory of the container. Undefined: no limit
 */
export function heapGrowthPercent(containerBytes: number | undefined): number {
  return isSmallContainer(containerBytes) ? SMALL_GROWTH : LARGE_GROWTH;
}

/** Lets the heap of this process grow as its container permits. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent(processMemory().containerBytes)}`);
}
