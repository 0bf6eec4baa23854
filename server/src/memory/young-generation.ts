import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Above this size, the young generation does not grow any further. Unit: bytes. */
const GROWTH_BOUND = 4 * 1024 * 1024;

/** Size of V8's young generation. Unit: bytes. */
export function youngGenerationBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

/**
 * Keeps the young generation of this process at 8 to 24 MiB. On Node 24, V8 lets it grow to 128 MiB. A flood of small
 * objects then used 80 MiB more. `docs/attack-results.md` has the figures.
 *
 * V8 reads its option for the largest size only at the start of a process, but it reads the growth factor at each collection.
 * Factor 2 is V8's default. Factor 1 keeps the size.
 */
export function limitYoungGeneration(): void {
  let factor: 1 | 2 | undefined;
  const chooseFactor = () => {
    const next = youngGenerationBytes() > GROWTH_BOUND ? 1 : 2;
    if (next === factor) return;
    factor = next;
    setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  };
  chooseFactor();
  new PerformanceObserver(chooseFactor).observe({ entryTypes: ['gc'] });
}
