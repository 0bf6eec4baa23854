import type { ReconnectSettings } from './connection/reconnect-options.js';
import type { SeededNames } from './connection/seeded-names.js';
import type { OverflowPolicy } from './mailbox-types.js';

/** What a mailbox gets that asks for nothing, and the most that it may ask for. */
export interface Bounded {
  readonly default: number;
  readonly max: number;
}

/** The sidecar's configuration of its mailboxes. Times are milliseconds, sizes bytes. */
export interface MailboxSettings {
  /** The default daemon as spread names: at least one; the next is tried when one can't be reached. */
  readonly daemons: readonly string[];
  /** Further daemons that a client may name. */
  readonly allowedDaemons: readonly string[];
  /** How the sidecar shows itself to daemons where a client names no method. Default NULL. */
  readonly auth?: 'NULL' | 'IP';
  /** For one daemon, handshake included. */
  readonly connectTimeoutMs: number;
  /** For a clean disconnect; then the connection is dropped. */
  readonly disconnectTimeoutMs: number;
  readonly reconnect: ReconnectSettings;
  readonly lease: { readonly defaultMs: number; readonly minMs: number; readonly maxMs: number };
  readonly queue: {
    readonly maxEvents: Bounded;
    readonly maxBytes: Bounded;
    readonly replayBytes: Bounded;
    readonly overflow: OverflowPolicy;
    /**
     * How long a queue may be above a part of its bounds. Undefined time: without end, unless a client asks for a soft limit
     * of its own. A time binds clients too: what they ask for may only be stricter.
     */
    readonly softLimit: { readonly fraction: number; readonly timeMs: number | undefined };
  };
  /** The fraction of a queue limit at which a receiver gets a slow-consumer notice; above 0, at most 1. */
  readonly noticeMark: number;
  readonly maxMailboxes: number;
  /** For the private names of mailboxes that ask for none. Default: the daemon makes them. */
  readonly names?: SeededNames | undefined;
  /** Of one client. Default: as many as in all. */
  readonly maxMailboxesPerClient?: number | undefined;
  /** For the queues of all mailboxes together. */
  readonly totalQueueBytes: number;
  readonly maxSendQueueBytes: number;
  /** For what all mailboxes together have to send. Default: no bound. */
  readonly totalSendQueueBytes?: number | undefined;
  /** Groups that a mailbox may be in. */
  readonly maxGroups: number;
  readonly maxGroupsPerMessage: number;
  /** Payload + 32 x groups. */
  readonly maxMessageBytes: number;
}
