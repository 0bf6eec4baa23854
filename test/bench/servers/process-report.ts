import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../support/until.js';
import type { Sidecar } from './servers.js';

const HOOK = fileURLToPath(new URL('report-on-signal.mjs', import.meta.url));

/** The resources that a process holds after a garbage collection. */
export interface ProcessReport {
  /** Memory by kind. Unit: bytes. */
  readonly memory: { readonly rss: number; readonly heapUsed: number; readonly external: number };
  /** Node's open handles and requests, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Open file descriptors. */
  readonly descriptors: number;
}

/** The environment of a process that can report its resources. */
export const reporting = (folder: string): Record<string, string> => ({
  NODE_OPTIONS: `--import=${HOOK}`,
  BENCH_REPORT: join(folder, 'report.json'),
});

/** Requests the report of a process that was started with reporting(folder). */
export async function reportOf(process: Sidecar, folder: string): Promise<ProcessReport> {
  const file = join(folder, 'report.json');
  rmSync(file, { force: true });
  process.signal('SIGUSR2');
  await until(() => existsSync(file), { timeoutMs: 10_000, what: 'the report of the process' });
  const report = JSON.parse(readFileSync(file, 'utf8')) as Omit<ProcessReport, 'descriptors'>;
  return { ...report, descriptors: readdirSync(`/proc/${process.pid}/fd`).length };
}
