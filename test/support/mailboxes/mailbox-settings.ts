import type { MailboxSettings } from '../../../server/src/mailbox/settings.js';

/** The sidecar's defaults with changes. */
export function mailboxSettings(changes: Partial<MailboxSettings> = {}): MailboxSettings {
  return {
    daemons: ['4803@127.0.0.1'],
    allowedDaemons: [],
    connectTimeoutMs: 5_000,
    disconnectTimeoutMs: 500,
    reconnect: {
      backoff: { initialMs: 20, maxMs: 200 },
      giveUp: { defaultMs: 60_000, minMs: 100, maxMs: 86_400_000 },
      nameWaitMs: 10_000,
    },
    lease: { defaultMs: 30_000, minMs: 1_000, maxMs: 3_600_000 },
    queue: {
      maxEvents: { default: 1_000_000, max: 1_000_000 },
      maxBytes: { default: 64 * 1024 * 1024, max: 64 * 1024 * 1024 },
      replayBytes: { default: 4 * 1024 * 1024, max: 4 * 1024 * 1024 },
      overflow: 'PAUSE',
      softLimit: { fraction: 0.5, timeMs: undefined },
    },
    noticeMark: 0.8,
    maxMailboxes: 1_000,
    totalQueueBytes: 1024 * 1024 * 1024,
    maxSendQueueBytes: 4 * 1024 * 1024,
    maxGroups: 1_000,
    maxGroupsPerMessage: 43,
    maxMessageBytes: 143_151,
    ...changes,
  };
}
