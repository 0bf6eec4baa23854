import { readFileSync } from 'node:fs';

/** The most memory that a process ever had resident, in MiB. Linux only: elsewhere nobody counts it for another process. */
export function peakMemoryMiB(pid: number): number {
  return kibibytes(pid, 'VmHWM') / 1024;
}

/** What it has resident now, in MiB. */
export function memoryMiB(pid: number): number {
  return kibibytes(pid, 'VmRSS') / 1024;
}

function kibibytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
}
