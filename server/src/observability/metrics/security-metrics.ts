import type { MetricBoard, MetricSet } from './metric-board.js';
import { securityMetrics } from './metrics-table.js';

/** All possible reasons, because clients must not add values to a label. */
const REASONS = [
  'CREDENTIAL_MISSING',
  'CREDENTIAL_INVALID',
  'ADMIN_ONLY',
  'FOREIGN_MAILBOX',
  'TLS_NOT_TLS',
  'TLS_CLIENT_CERTIFICATE',
  'TLS_PROTOCOL',
  'TLS_TIMEOUT',
  'TLS_GONE',
];
const KNOWN: ReadonlySet<string> = new Set(REASONS);

/** Rejected calls and connections, and the age of certificates and tokens. */
export function securityMetricSet(board: MetricBoard): MetricSet {
  for (const reason of REASONS) board.set(securityMetrics.refused, 0, { reason });
  for (const credential of ['tls', 'client-tokens', 'admin-tokens'])
    for (const outcome of ['success', 'failure'])
      board.set(securityMetrics.reloads, 0, { credential, outcome });
  const refused = (reason: string) =>
    board.inc(securityMetrics.refused, { reason: KNOWN.has(reason) ? reason : 'OTHER' });
  return {
    rows: Object.values(securityMetrics),
    events: {
      mailbox: { foreignCall: () => refused('FOREIGN_MAILBOX') },
      security: {
        refused,
        loaded: (credential, { expiresAtMs }) => {
          board.inc(securityMetrics.reloads, { credential, outcome: 'success' });
          if (expiresAtMs !== undefined) board.set(securityMetrics.expiry, expiresAtMs / 1000);
        },
        reloadFailed: (credential) => board.inc(securityMetrics.reloads, { credential, outcome: 'failure' }),
      },
    },
  };
}
