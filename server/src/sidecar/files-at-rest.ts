import { type BigIntStats, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A file that changed within this time may still be in the middle of a write. Unit: ms. */
const RECENT_MS = 1000;
/** Between two looks at a file that changed recently. Unit: ms. */
const LOOK_MS = 10;
/** So many looks in a row have to find the same sizes and times. */
const SAME_LOOKS = 4;
/** Longest wait, as a number of looks: about 2 s. */
const MOST_LOOKS = 200;

/**
 * Resolves when none of the files is in the middle of a write: at once when the files have not changed for a second, else when their sizes
 * and times stay the same for about 40 ms. The caller reads them in the same turn of the event loop.
 *
 * @returns the files that still change after about 2 s; normally none
 */
export async function filesAtRest(paths: readonly string[]): Promise<readonly string[]> {
  let stats = paths.map(statOf);
  if (!stats.some(isRecent)) return [];
  let changed: readonly string[] = [];
  let sameLooks = 0;
  for (let look = 0; look < MOST_LOOKS; look++) {
    await delay(LOOK_MS);
    const found = paths.map(statOf);
    const before = stats;
    stats = found;
    const changedNow = paths.filter((_, i) => describeStats(found[i]) !== describeStats(before[i]));
    if (changedNow.length > 0) {
      changed = changedNow;
      sameLooks = 0;
    } else if (++sameLooks === SAME_LOOKS) return [];
  }
  return changed;
}

/** Of what a link leads to. What is replaced has another inode, what is written to another time. */
export function describeStats(stats: BigIntStats | undefined): string {
  return stats ? `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}` : 'none';
}

/** Undefined for a file that does not exist or cannot be looked at: reading the file says why. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isRecent(stats: BigIntStats | undefined): boolean {
  if (stats === undefined) return false;
  const { mtimeMs, ctimeMs } = stats;
  const changedMs = mtimeMs > ctimeMs ? mtimeMs : ctimeMs;
  return Date.now() - Number(changedMs) < RECENT_MS;
}
