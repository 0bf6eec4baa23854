import type { ReportLeftOut } from './log-throttle.js';
import type { Logger } from './logger.js';

/** Reports lines of a kind that a throttle left out, at the level of those lines. */
export function leftOutLines(
  log: Logger,
  level: 'debug' | 'info' | 'warn' | 'error',
  kind: string,
): ReportLeftOut {
  return (more) => log[level]({ kind, more }, 'lines of this kind were left out of the log');
}
