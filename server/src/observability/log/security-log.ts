import type { CredentialKind, SecurityEvents } from '../events.js';
import type { Logger } from './logger.js';
import { ThrottledLog } from './throttled-log.js';

const NAMES: Readonly<Record<CredentialKind, string>> = {
  tls: 'the TLS certificates',
  'client-tokens': 'the client tokens',
  'admin-tokens': 'the admin tokens',
};

/** Clients that only connect and disconnect, such as probes of a port, cause no warning. */
const HARMLESS = new Set(['TLS_GONE']);

/** Writes events about access to the sidecar. `flush` writes the counts of suppressed lines. */
export function securityLog(log: Logger, now?: () => number): SecurityEvents & { flush(): void } {
  const throttled = new ThrottledLog(log, 1, now);
  return {
    refused: (reason, about) => {
      const level = HARMLESS.has(reason) ? 'debug' : 'warn';
      throttled.write(level, reason, { ...about, reason }, 'rejected');
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
      log.error(
        `${NAMES[kind]} changed but are not usable; the sidecar continues to use the previous ones: ${error.message}`,
      ),
    flush: () => throttled.flush(),
  };
}
