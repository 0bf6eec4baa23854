import { setFlagsFromString } from 'node:v8';

/**
 * V8 collects the whole heap when the heap and the external buffers have grown by a factor since the last
 * collection. V8 chooses the factor between 1.1 and 4. For a small heap with megabytes of short-lived buffers, it
 * chooses badly: with messages of 100 KB it collected every 50 ms, which used more than half of the processor
 * time. So the factor is always 4. The peak resident memory is unchanged, because short-lived buffers are freed by
 * the small collections. `docs/benchmarks.md` has the figures.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=300');
}
