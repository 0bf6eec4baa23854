import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textTable } from './report/numbers.js';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/**
 * A function, and the part (0 to 1) of the busy time that was spent in the function itself, without its callees.
 */
export interface SelfTime {
  readonly name: string;
  readonly part: number;
}

/** Entries of a profile during which the process was idle. */
const IDLE = new Set(['(idle)', '(program)']);

/** Loading and compiling take less than this, also on a slow machine. Unit: microseconds. */
const START_US = 2_000_000;

/** The functions of a V8 CPU profile with the most self time, without the first `startUs`. */
export function selfTimes(
  { nodes, samples, timeDeltas }: CpuProfile,
  startUs: number = START_US,
): readonly SelfTime[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      url === '' ? functionName : `${functionName || '(anonymous)'} ${place(url)}:${lineNumber + 1}`,
    ]),
  );
  const times = new Map<string, number>();
  let all = 0;
  let since = 0;
  for (const [index, sample] of samples.entries()) {
    const name = names.get(sample) ?? '?';
    const time = timeDeltas[index] ?? 0;
    since += time;
    if (since < startUs || IDLE.has(name)) continue;
    all += time;
    times.set(name, (times.get(name) ?? 0) + time);
  }
  return [...times].map(([name, time]) => ({ name, part: time / all })).sort((a, b) => b.part - a.part);
}

const place = (url: string) => url.replace(/^file:\/\//, '').replace(/^.*\/(node_modules|dist)\//, '');

/** The functions with the most self time in every profile of a folder. */
export function profileReport(folder: string, top = 25): string {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => {
      const times = selfTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')));
      const rows = times.slice(0, top).map(({ name, part }) => [name, `${(part * 100).toFixed(1)} %`]);
      return `${file}\n${textTable(rows)}`;
    })
    .join('\n\n');
}
