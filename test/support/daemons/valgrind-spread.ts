import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RealSpread } from './real-spread.js';

/** Maximum time until a daemon under valgrind orders messages. Unit: ms. */
const START_MS = 90_000;

/**
 * A command that runs a program under valgrind, which reports each access outside of an allocated block in
 * the file `log`.
 */
export const valgrindCommand = (log: string): string[] => [
  'valgrind',
  // Uninitialized bytes in packets are normal for Spread, and not related to the limits.
  '--undef-value-errors=no',
  '--error-limit=no',
  '--num-callers=8',
  `--log-file=${log}`,
];

/**
 * The reports in the file `log`: invalid accesses, invalid frees and fatal signals. One entry each, without
 * addresses.
 */
export function valgrindReports(log: string): string[] {
  const lines = readFileSync(log, 'utf8').split('\n');
  const text = lines.map((line) => line.replace(/^==\d+== ?/, ''));
  return text.flatMap((line, i) =>
    /^(Invalid |Process terminating|Source and destination overlap|Argument '.*' of function|Jump to the invalid)/.test(
      line,
    )
      ? [text.slice(i, i + 4).join('\n')]
      : [],
  );
}

/** A real daemon from SPREAD_HOME under valgrind. */
export class ValgrindSpread {
  private constructor(
    readonly daemon: RealSpread,
    readonly folder: string,
  ) {}

  static async start(): Promise<ValgrindSpread> {
    const folder = mkdtempSync(join(tmpdir(), 'vg-'));
    const wrapper = valgrindCommand(join(folder, 'log'));
    try {
      return new ValgrindSpread(await RealSpread.start({ wrapper, startTimeoutMs: START_MS }), folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** valgrind's reports so far. */
  reports(): string[] {
    return valgrindReports(join(this.folder, 'log'));
  }

  async stop(): Promise<void> {
    await this.daemon.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
