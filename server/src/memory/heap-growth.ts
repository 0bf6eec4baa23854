import { setFlagsFromString } from 'node:v8';

/**
 * V8 collects the whole heap when it, and the buffers outside of it, have grown by a factor since the last time, which
 * it chooses between 1.1 and 4. For a heap as small as ours with megabytes of buffers that come and go it chooses badly:
 * at 100 KB a message it collected every 50 ms, which took more than half of the processor time. So it is always 4;
 * resident memory at its highest stays what it was, because short-lived buffers go with the small collections.
 * `docs/benchmarks.md` has the figures.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=300');
}
