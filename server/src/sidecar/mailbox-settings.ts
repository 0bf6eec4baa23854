import type { SidecarConfig } from '../config/index.js';
import { SeededNames } from '../mailbox/connection/seeded-names.js';
import type { MailboxSettings } from '../mailbox/settings.js';
import { MAX_MESSAGE_BODY } from '../spread/wire/index.js';
import type { MemoryBounds } from './memory-plan.js';

/** Time for a daemon's response to a disconnect message. A live daemon responds within milliseconds. */
const GOODBYE_MS = 2000;

/** Shortest reconnect.give_up_after: time for one attempt. */
export const GIVE_UP_MIN_MS = 100;

/** The mailboxes' settings from the configuration. `daemons` are the actual default daemons. */
export function mailboxSettings(
  config: SidecarConfig,
  bounds: MemoryBounds,
  daemons: readonly string[],
  embedded: readonly string[] = [],
): MailboxSettings {
  const { mailbox, daemon, limits } = config;
  const upTo = (max: number) => ({ default: max, max });
  return {
    daemons,
    allowedDaemons: [...daemon.allow, ...embedded],
    auth: daemon.auth === 'ip' ? 'IP' : 'NULL',
    connectTimeoutMs: daemon.connectTimeout,
    disconnectTimeoutMs: GOODBYE_MS,
    reconnect: {
      backoff: { initialMs: mailbox.reconnectBackoffMin, maxMs: mailbox.reconnectBackoffMax },
      giveUp: {
        defaultMs: mailbox.reconnectGiveUpDefault,
        minMs: GIVE_UP_MIN_MS,
        maxMs: mailbox.reconnectGiveUpMax,
      },
      nameWaitMs: mailbox.reconnectNameWait,
    },
    lease: { defaultMs: mailbox.leaseDefault, minMs: mailbox.leaseMin, maxMs: mailbox.leaseMax },
    queue: {
      maxEvents: upTo(mailbox.queueMaxEvents),
      maxBytes: upTo(bounds['mailbox.queueMaxBytes']),
      replayBytes: upTo(bounds['mailbox.replayWindow']),
      overflow: mailbox.overflow === 'pause' ? 'PAUSE' : 'DISCONNECT',
      softLimit: {
        fraction: mailbox.softLimit,
        timeMs: mailbox.softLimitTime === 'off' ? undefined : mailbox.softLimitTime,
      },
    },
    noticeMark: mailbox.slowNotice,
    maxMailboxes: bounds['mailbox.maxMailboxes'],
    names: mailbox.privateNameSeed === '' ? undefined : new SeededNames(mailbox.privateNameSeed),
    maxMailboxesPerClient: unlessOff(limits.maxMailboxesPerClient),
    totalQueueBytes: bounds['mailbox.totalQueueMaxBytes'],
    totalSendQueueBytes: bounds['mailbox.totalSendQueueMaxBytes'],
    maxSendQueueBytes: mailbox.sendQueueMaxBytes,
    maxGroups: mailbox.maxGroups,
    maxGroupsPerMessage: daemon.maxGroupsPerMessage,
    maxMessageBytes: MAX_MESSAGE_BODY,
  };
}

/** An option that can be off. */
export function unlessOff(value: number | 'off'): number | undefined {
  return value === 'off' ? undefined : value;
}
