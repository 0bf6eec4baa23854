import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { describeStats } from './files-at-rest.js';

/**
 * Calls back when one of the files may have changed, looking at them every so often. A file that is being written is not
 * complete, so the call waits until two looks in a row find the same sizes and times. Not fs.watch, which reports
 * nothing on network file systems, and loses a file that is replaced, as editors and Kubernetes do.
 */
export class WatchedFiles {
  readonly #paths: readonly string[];
  readonly #timer: NodeJS.Timeout;
  /** At the last call. */
  #seen: string;
  /** At the last look. */
  #found: string;
  #looking = false;

  /** @param intervalMs - between two looks. Unit: ms */
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

  /** Looks once; resolves after a call that was due. The timer does so by itself. */
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
