import type { ReconnectSettings } from './connection/reconnect-options.js';
import type { SeededNames } from './connection/seeded-names.js';
import type { OverflowPolicy } from './mailbox-types.js';

/** The default and the maximum of a requested value. */
export interface Bounded {
  readonly default: number;
  readonly max: number;
}

/** The sidecar's configuration of its mailboxes. Times are milliseconds, sizes are bytes. */
export interface MailboxSettings {
  /** The default daemons as Spread names: at least one. The next one is tried when one cannot be reached. */
  readonly daemons: readonly string[];
  /** Further daemons that a client may name. */
  readonly allowedDaemons: readonly string[];
  /** How the sidecar authenticates to daemons if a client names no method. Default: NULL. */
  readonly auth?: 'NULL' | 'IP';
  /** Time limit for one daemon, including the handshake. */
  readonly connectTimeoutMs: number;
  /** Time limit for a clean disconnect. Then the connection is aborted. */
  readonly disconnectTimeoutMs: number;
  readonly reconnect: ReconnectSettings;
  readonly lease: { readonly defaultMs: number; readonly minMs: number; readonly maxMs: number };
  readonly queue: {
    readonly maxEvents: Bounded;
    readonly maxBytes: Bounded;
    readonly replayBytes: Bounded;
    readonly overflow: OverflowPolicy;
    /**
     * How long a queue may exceed a part of its limits. Undefined time: no limit, unless a client requests its own
     * soft limit. A time also applies to clients, which can only request a stricter one.
     */
    readonly softLimit: { readonly fraction: number; readonly timeMs: number | undefined };
  };
  /** The fraction of a queue limit at which a receiver gets a slow-consumer notice; above 0, at most 1. */
  readonly noticeMark: number;
  readonly maxMailboxes: number;
  /** For the private names of mailboxes that request none. Default: the daemon generates them. */
  readonly names?: SeededNames | undefined;
  /** Limit of one client. Default: the total limit. */
  readonly maxMailboxesPerClient?: number | undefined;
  /** Limit of the queues of all mailboxes. */
  readonly totalQueueBytes: number;
  readonly maxSendQueueBytes: number;
  /** Limit of the send queues of all mailboxes. Default: none. */
  readonly totalSendQueueBytes?: number | undefined;
  /** Limit of a mailbox's groups. */
  readonly maxGroups: number;
  readonly maxGroupsPerMessage: number;
  /** Payload + 32 x groups. */
  readonly maxMessageBytes: number;
}
