import type { CredentialKind, SecurityEvents } from './events.js';
import type { Logger } from './logger.js';

const NAMES: Readonly<Record<CredentialKind, string>> = {
  tls: 'the TLS certificates',
  'client-tokens': 'the client tokens',
  'admin-tokens': 'the admin tokens',
};

/** Strangers may knock as often as they like: a line a reason in this time. Unit: ms. */
const QUIET_MS = 10_000;

/** Who only connects and goes, as probes of a port do, is nothing to be warned of. */
const HARMLESS = new Set(['TLS_GONE']);

/** Writes what concerns the sidecar's doors. */
export function securityLog(log: Logger, now: () => number = () => performance.now()): SecurityEvents {
  const told = new Map<string, { atMs: number; since: number }>();
  return {
    refused: (reason, about) => {
      const last = told.get(reason);
      if (last && now() - last.atMs < QUIET_MS) {
        last.since++;
        return;
      }
      told.set(reason, { atMs: now(), since: 0 });
      const more = last?.since ? { more: last.since } : {};
      log[HARMLESS.has(reason) ? 'debug' : 'warn']({ ...about, reason, ...more }, 'refused');
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
