import { readFileSync } from 'node:fs';

/** Linux reports processor time in hundredths of a second, independent of the tick of the kernel. */
const TICKS_PER_SECOND = 100;

/** Fields 14 and 15 of /proc/<pid>/stat. Counting starts after the name, which can contain spaces and brackets. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Processor time that a process has used. Undefined without /proc or after the end of the process. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    return cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in KiB. Undefined without /proc or after the end of the process. */
export function residentKiB(pid: number): number | undefined {
  return kibibytes(pid, 'VmRSS');
}

/**
 * Resident memory of a process in MiB: the current value or the maximum since its start. @throws Error without
 * /proc or after the end of the process
 */
export function memoryMiB(pid: number, when: 'now' | 'peak'): number {
  const value = kibibytes(pid, when === 'now' ? 'VmRSS' : 'VmHWM');
  if (value === undefined) throw new Error(`/proc has no memory of the process ${pid}`);
  return value / 1024;
}

function kibibytes(pid: number, field: string): number | undefined {
  try {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    );
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Samples processes that end on their own. The samples are frequent enough to know the processor time at the end.
 */
export class CpuWatch {
  readonly #last = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly pids: readonly number[],
    everyMs = 20,
  ) {
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  /** Total processor time. Up to one interval of each process may be missing. */
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
