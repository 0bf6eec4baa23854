import type { CredentialKind, SecurityEvents } from './events.js';
import { leftOutLines } from './left-out-lines.js';
import { LogThrottle } from './log-throttle.js';
import type { Logger } from './logger.js';

const NAMES: Readonly<Record<CredentialKind, string>> = {
  tls: 'the TLS certificates',
  'client-tokens': 'the client tokens',
  'admin-tokens': 'the admin tokens',
};

/** Who only connects and goes, as probes of a port do, is nothing to be warned of. */
const HARMLESS = new Set(['TLS_GONE']);

/** Writes what concerns the sidecar's doors. `flush` writes the counts of lines that were left out. */
export function securityLog(log: Logger, now?: () => number): SecurityEvents & { flush(): void } {
  const throttle = new LogThrottle(1, now);
  return {
    refused: (reason, about) => {
      const level = HARMLESS.has(reason) ? 'debug' : 'warn';
      const more = throttle.admit(reason, leftOutLines(log, level, reason));
      if (more) log[level]({ ...about, reason, ...more }, 'refused');
    },
    loaded: (kind, { expiresAtMs, count }) =>
      log.info(
        {
          ...(expiresAtMs === undefined ? {} : { expires: new Date(expiresAtMs).toISOString() }),
          ...(count === undefined ? {} : { count }),
        },
        `${NAMES[kind]} are loaded`,
      ),
    reloadFailed: (kind, error) =>
      log.error(`${NAMES[kind]} changed and can't be used, those before stay: ${error.message}`),
    flush: () => throttle.flush(),
  };
}
