import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { describeStats } from './files-at-rest.js';

/**
 * Calls back when one of the files may have changed, by periodic checks. A file that is being written is
 * incomplete, so the call waits until two consecutive checks find the same sizes and times. Replaces fs.watch,
 * which reports nothing on network file systems, and loses a file that is replaced, for example by editors and
 * Kubernetes.
 */
export class WatchedFiles {
  readonly #paths: readonly string[];
  readonly #timer: NodeJS.Timeout;
  /** The state at the last call. */
  #seen: string;
  /** The state at the last check. */
  #found: string;
  #looking = false;

  /** @param intervalMs - pause between two checks. Unit: ms */
  constructor(
    paths: readonly string[],
    intervalMs: number,
    private readonly onChange: () => void,
  ) {
    this.#paths = paths;
    this.#seen = this.#paths
      .map((path) => describeStats(statSync(path, { bigint: true, throwIfNoEntry: false })))
      .join();
    this.#found = this.#seen;
    this.#timer = setInterval(() => void this.look(), intervalMs);
    // The timer must not keep a process running.
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Runs one check. Resolves after a due call. The timer calls it automatically. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const stats = await Promise.all(
      this.#paths.map((path) =>
        stat(path, { bigint: true }).then(describeStats, () => describeStats(undefined)),
      ),
    );
    this.#looking = false;
    const found = stats.join();
    const isStable = found === this.#found;
    this.#found = found;
    if (!isStable || found === this.#seen) return;
    this.#seen = found;
    this.onChange();
  }
}
