import { readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;

/** Fields 14 and 15 of /proc/<pid>/stat, counted behind the name, which may have spaces and brackets. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Processor time that a process has used; undefined where /proc does not tell or the process has ended. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    return cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in KiB; undefined where /proc does not tell. */
export function residentKiB(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

/** Looks at processes that end on their own often enough to know what they used. */
export class CpuWatch {
  readonly #last = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly pids: readonly number[],
    everyMs = 20,
  ) {
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  /** Processor time of all of them together; up to one interval of each may be missing. */
  stop(): number {
    clearInterval(this.#timer);
    this.#look();
    return [...this.#last.values()].reduce((sum, seconds) => sum + seconds, 0);
  }

  #look(): void {
    for (const pid of this.pids) {
      const seconds = cpuSeconds(pid);
      if (seconds !== undefined) this.#last.set(pid, seconds);
    }
  }
}
