import type { SpreadCodeName, Version } from '../spread/wire/index.js';

/** The kind of a client's connection. `memory`: a mailbox in the same process. */
export type Transport = 'tcp' | 'unix' | 'memory';

/** The reason why the daemon ended a session. */
export type CutReason =
  /** The client did not read: its queue was full. */
  | 'slow-reader'
  /** The client sent a header for which real Spread would end the session or crash. */
  | 'illegal-message'
  /** The client used the most memory when a limit of the whole daemon was reached. */
  | 'memory'
  /** A defect of the daemon. Other sessions continue. */
  | 'internal-error';

/** The events that the daemon reports. */
export type DaemonEvent =
  /** A handshake ended with a code, which the client received. */
  | {
      readonly kind: 'client-refused';
      readonly transport: Transport;
      readonly code: SpreadCodeName;
      readonly message: string;
    }
  /** A connection ended before the session started, without a response. */
  | { readonly kind: 'client-abandoned'; readonly transport: Transport; readonly message: string }
  | {
      readonly kind: 'session-opened';
      readonly transport: Transport;
      readonly privateGroup: string;
      readonly version: Version;
      readonly membership: boolean;
    }
  /** The client ended the session: with a disconnect message (KILL) or by closing its connection. */
  | {
      readonly kind: 'session-closed';
      readonly privateGroup: string;
      readonly reason: 'disconnect' | 'connection-lost' | 'shutdown';
    }
  | {
      readonly kind: 'session-cut';
      readonly privateGroup: string;
      readonly reason: CutReason;
      readonly message: string;
      /** Number of messages that were queued for the client and are lost. */
      readonly messagesLost: number;
      /** The error and its stack, when the reason is `internal-error`. */
      readonly error: unknown;
    };

/** The current state and the counters of the daemon. */
export interface DaemonCounters {
  readonly sessions: number;
  /** Number of connections: sessions, handshakes, and ending ones. */
  readonly connections: number;
  readonly groups: number;
  /** Number of pairs of member and group. */
  readonly memberships: number;
  /** Bytes queued for all clients. A message for many clients counts once. */
  readonly queuedBytes: number;
  readonly sessionsOpened: number;
  readonly sessionsCut: number;
  readonly clientsRefused: number;
  /** Number of regular messages read. */
  readonly messagesReceived: number;
  /** Number of copies of regular messages queued for receivers. */
  readonly messagesDelivered: number;
  /** Number of copies of views and self-leaves queued for receivers. */
  readonly membershipsDelivered: number;
}
