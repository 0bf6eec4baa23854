import type { ServiceTypeName, SpreadCodeName, Version } from '../spread/wire/index.js';

/** What becomes of an event once it was given. */
export type Acknowledgement = 'AUTO' | 'EXPLICIT';

/** What happens when the queue is full. */
export type OverflowPolicy = 'PAUSE' | 'DISCONNECT';

/** The life of a mailbox, as the contract names it. */
export type MailboxState = 'OPEN' | 'RECONNECTING' | 'ENDED';

/** Bounds of a mailbox's event queue, every field set. */
export interface QueueLimits {
  /** Most events that may wait (EXPLICIT: or be unacknowledged). */
  readonly maxEvents: number;
  /** Most bytes of encoded events that may wait (EXPLICIT: or be unacknowledged). */
  readonly maxBytes: number;
  /** AUTO: most bytes of given events that are kept for a stream that resumes. */
  readonly replayBytes: number;
  readonly overflow: OverflowPolicy;
  /** A bound that the queue may be above only for a time. Undefined: there is none. */
  readonly softLimit?: SoftLimitOptions | undefined;
}

/** How long a queue may be nearly full. */
export interface SoftLimitOptions {
  /** The soft bound as a part of the queue's bounds: above 0, at most 1. */
  readonly fraction: number;
  /** How long the queue may stay above it without a break, milliseconds. */
  readonly timeMs: number;
}

/** The limits that hold for one mailbox. */
export interface MailboxLimits {
  readonly leaseMs: number;
  readonly queue: QueueLimits;
  readonly maxGroupsPerMessage: number;
  /** Most bytes of payload + 32 x groups. */
  readonly maxMessageBytes: number;
  readonly maxGroups: number;
  readonly maxSendQueueBytes: number;
}

/** A message to send. */
export interface OutgoingMessage {
  readonly serviceType: ServiceTypeName;
  readonly selfDiscard: boolean;
  /** Groups and private groups. */
  readonly groups: readonly string[];
  /** -32768 to 32767. */
  readonly messageType: number;
  /** Not copied: not to be written to until the send is answered. */
  readonly payload: Buffer;
}

/** Why a receiver's stream ended. */
export type EndReason =
  | 'DISCONNECTED'
  | 'CONNECTION_CLOSED'
  | 'QUEUE_OVERFLOW'
  | 'SLOW_CONSUMER'
  | 'LEASE_EXPIRED'
  | 'DRAINING'
  | 'RECEIVER_REPLACED'
  | 'INTERNAL';

/** The end, as a receiver gets it. */
export interface MailboxEnd {
  readonly reason: EndReason;
  /** CONNECTION_CLOSED: Spread's code for the end of a connection. */
  readonly spreadCode?: SpreadCodeName;
  /** The last event that the mailbox received; 0 if none. */
  readonly lastSequence: number;
  /** A sentence for people. */
  readonly message: string;
  /** Metadata for the caller, with the contract's keys: bound, time. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** State and counters of a mailbox at one moment; without its id. */
export interface MailboxSnapshot {
  readonly privateGroup: string;
  readonly state: MailboxState;
  readonly daemon: string;
  readonly daemonVersion: Version;
  readonly membership: boolean;
  readonly acknowledgement: Acknowledgement;
  readonly limits: MailboxLimits;
  readonly groups: readonly string[];
  /** Milliseconds since 1970. */
  readonly openedAtMs: number;
  readonly receiverAttached: boolean;
  readonly lastSequence: number;
  readonly deliveredSequence: number;
  readonly acknowledgedSequence: number;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  readonly retainedBytes: number;
  readonly messagesSent: number;
  readonly payloadBytesSent: number;
  readonly sendQueueBytes: number;
  readonly paused: boolean;
  /** Milliseconds since 1970; undefined while a receiver or a call holds the mailbox. */
  readonly leaseEndsAtMs: number | undefined;
  readonly displayId: string;
  /** What counts against the bounds of the queue. */
  readonly loadEvents: number;
  readonly loadBytes: number;
  /** Milliseconds since 1970: when the soft limit will end the mailbox; undefined while it does not threaten. */
  readonly softLimitEndsAtMs: number | undefined;
}

/** What waits. */
export interface PollResult {
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  readonly state: MailboxState;
}

/** How a mailbox is ended by its owner. */
export interface DisconnectOptions {
  /** LEAVE for every group in the order of joining, then the disconnect message. Not together with abort. */
  readonly leaveGroupsFirst?: boolean;
  /** Drop the socket without a disconnect message. */
  readonly abort?: boolean;
}
