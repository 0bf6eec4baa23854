import type { CredentialKind, SecurityEvents } from './events.js';
import type { Logger } from './logger.js';
import { Seldom } from './seldom.js';

const NAMES: Readonly<Record<CredentialKind, string>> = {
  tls: 'the TLS certificates',
  'client-tokens': 'the client tokens',
  'admin-tokens': 'the admin tokens',
};

/** Who only connects and goes, as probes of a port do, is nothing to be warned of. */
const HARMLESS = new Set(['TLS_GONE']);

/** Writes what concerns the sidecar's doors. */
export function securityLog(log: Logger, now?: () => number): SecurityEvents {
  const seldom = new Seldom(now);
  return {
    refused: (reason, about) => {
      const more = seldom.about(reason);
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
