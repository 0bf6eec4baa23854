import type { SpreadCodeName, Version } from '../spread/wire/index.js';

/** How a client is connected; `memory`: a mailbox of the same process. */
export type Transport = 'tcp' | 'unix' | 'memory';

/** Why the daemon ended a session on its own. */
export type CutReason =
  /** It did not read: its queue was full. */
  | 'slow-reader'
  /** It sent a header that real Spread would drop it for, or choke on. */
  | 'illegal-message'
  /** It held most of the memory when a bound of the whole daemon was reached. */
  | 'memory'
  /** A defect of the daemon; the others continue. */
  | 'internal-error';

/** Everything that the daemon reports. */
export type DaemonEvent =
  /** A handshake ended with a code, which the client received. */
  | {
      readonly kind: 'client-refused';
      readonly transport: Transport;
      readonly code: SpreadCodeName;
      readonly message: string;
    }
  /** A connection ended before it was a session, without a response. */
  | { readonly kind: 'client-abandoned'; readonly transport: Transport; readonly message: string }
  | {
      readonly kind: 'session-opened';
      readonly transport: Transport;
      readonly privateGroup: string;
      readonly version: Version;
      readonly membership: boolean;
    }
  /** The client went: orderly (KILL) or by closing its connection. */
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
      /** Messages that were queued for it and are lost. */
      readonly messagesLost: number;
      /** What was thrown, with its stack, when the reason is `internal-error`. */
      readonly error: unknown;
    };

/** What the daemon has and has done since it was made. */
export interface DaemonCounters {
  readonly sessions: number;
  /** All connections: sessions, handshakes, and those on their way out. */
  readonly connections: number;
  readonly groups: number;
  /** Pairs of member and group. */
  readonly memberships: number;
  /** Bytes queued for all clients; a message for many counts once. */
  readonly queuedBytes: number;
  readonly sessionsOpened: number;
  readonly sessionsCut: number;
  readonly clientsRefused: number;
  /** Regular messages read. */
  readonly messagesReceived: number;
  /** Copies of regular messages queued for receivers. */
  readonly messagesDelivered: number;
  /** Copies of views and self-leaves queued for receivers. */
  readonly membershipsDelivered: number;
}
