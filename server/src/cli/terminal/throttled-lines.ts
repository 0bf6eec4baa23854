import { LogThrottle } from '../../observability/log/log-throttle.js';
import { count } from './output.js';

/**
 * Number of lines of a kind in ten seconds. It shows who connects and disconnects, and prevents a flood of lines.
 */
const BURST = 20;

/** Writes lines that clients can cause at any rate, with a rate limit for each kind. */
export class ThrottledLines {
  readonly #throttle: LogThrottle;

  constructor(
    private readonly writeLine: (line: string) => void,
    now?: () => number,
  ) {
    this.#throttle = new LogThrottle(BURST, now);
  }

  /** @param kind - one of a fixed set */
  write(kind: string, line: () => string): void {
    const admitted = this.#throttle.admit(kind, (more) => this.writeLine(`(${leftOut(more)}: ${kind})`));
    if (!admitted) return;
    const { more } = admitted;
    this.writeLine(more === undefined ? line() : `${line()} (${leftOut(more)} before)`);
  }

  /** Writes the counts of suppressed lines, without waiting for the next lines of their kinds. */
  flush(): void {
    this.#throttle.flush();
  }
}

const leftOut = (lines: number): string => `${count(lines, 'line')} of this kind suppressed`;
