import type { CredentialKind, SecurityEvents } from './events.js';
import { LogThrottle } from './log-throttle.js';
import type { Logger } from './logger.js';

const NAMES: Readonly<Record<CredentialKind, string>> = {
  tls: 'the TLS certificates',
  'client-tokens': 'the client tokens',
  'admin-tokens': 'the admin tokens',
};

/** Who only connects and goes, as probes of a port do, is nothing to be warned of. */
const HARMLESS = new Set(['TLS_GONE']);

/** Writes what concerns the sidecar's doors. */
export function securityLog(log: Logger, now?: () => number): SecurityEvents {
  const throttle = new LogThrottle(1, now);
  return {
    refused: (reason, about) => {
      const more = throttle.admit(reason);
      if (more) log[HARMLESS.has(reason) ? 'debug' : 'warn']({ ...about, reason, ...more }, 'refused');
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
  };
}
