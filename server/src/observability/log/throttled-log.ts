import type { LogFields } from './log-fields.js';
import { LogThrottle } from './log-throttle.js';
import type { Logger } from './logger.js';

/**
 * Writes lines that peers can cause at any rate: a few of each kind in ten seconds, then a count of the others.
 */
export class ThrottledLog {
  readonly #log: Logger;
  readonly #throttle: LogThrottle;

  /**
   * @param burst - number of lines of a kind in ten seconds
   * @param now - milliseconds by a monotonic clock. Default: `performance.now`
   */
  constructor(log: Logger, burst: number, now?: () => number) {
    this.#log = log;
    this.#throttle = new LogThrottle(burst, now);
  }

  /** @param kind - one of a fixed set: each kind is remembered */
  write(level: 'debug' | 'info' | 'warn' | 'error', kind: string, fields: LogFields, message: string): void {
    const log = this.#log;
    const more = this.#throttle.admit(kind, (omitted) =>
      log[level]({ kind, more: omitted }, 'lines of this kind were suppressed'),
    );
    if (more) log[level]({ ...fields, ...more }, message);
  }

  /** Writes the counts of suppressed lines without waiting for the next lines of their kinds. For a shutdown. */
  flush(): void {
    this.#throttle.flush();
  }
}
