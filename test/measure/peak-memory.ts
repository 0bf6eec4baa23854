import { readFileSync } from 'node:fs';

/**
 * The peak resident memory of a process, in MiB. Linux only: other systems do not report it for another process.
 */
export function peakMemoryMiB(pid: number): number {
  return kibibytes(pid, 'VmHWM') / 1024;
}

/** The current resident memory, in MiB. */
export function memoryMiB(pid: number): number {
  return kibibytes(pid, 'VmRSS') / 1024;
}

function kibibytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
}
