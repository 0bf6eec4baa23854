import { type BigIntStats, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A file that changed within this time may still be written. Unit: ms. */
const RECENT_MS = 1000;
/** Pause between two checks of a file that changed recently. Unit: ms. */
const LOOK_MS = 10;
/** Number of consecutive checks that must find the same sizes and times. */
const SAME_LOOKS = 4;
/** Longest wait, as a number of checks: about 2 s. */
const MOST_LOOKS = 200;

/**
 * Resolves when none of the files is being written: immediately when the files have not changed for a second,
 * otherwise when their sizes and times stay the same for about 40 ms. The caller must read them in the same turn
 * of the event loop.
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

/** Follows links. A replaced file has another inode, and a written file has another time. */
export function describeStats(stats: BigIntStats | undefined): string {
  return stats ? `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}` : 'none';
}

/** Undefined for a file that does not exist or is not accessible. Reading the file reports the reason. */
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
