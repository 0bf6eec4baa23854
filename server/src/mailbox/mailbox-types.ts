import type { ServiceTypeName, SpreadCodeName, Version } from '../spread/wire/index.js';

/** When an event is released after its delivery. */
export type Acknowledgement = 'AUTO' | 'EXPLICIT';

/** What happens when the queue is full. */
export type OverflowPolicy = 'PAUSE' | 'DISCONNECT';

/** The state of a mailbox, with the contract's names. */
export type MailboxState = 'OPEN' | 'RECONNECTING' | 'ENDED';

/** Limits of a mailbox's event queue, with every field set. */
export interface QueueLimits {
  /** Largest number of queued events (EXPLICIT: including unacknowledged ones). */
  readonly maxEvents: number;
  /** Largest size of encoded queued events (EXPLICIT: including unacknowledged ones). Unit: bytes. */
  readonly maxBytes: number;
  /** AUTO: largest size of delivered events that are retained for a resume. Unit: bytes. */
  readonly replayBytes: number;
  readonly overflow: OverflowPolicy;
  /** A limit that the queue may exceed only for a time. Undefined: none. */
  readonly softLimit?: SoftLimitOptions | undefined;
}

/** How long a queue may be nearly full. */
export interface SoftLimitOptions {
  /** The soft limit as a part of the queue's limits: above 0, at most 1. */
  readonly fraction: number;
  /** Time that the queue may exceed it without a break. Unit: ms. */
  readonly timeMs: number;
}

/** The limits of one mailbox. */
export interface MailboxLimits {
  readonly leaseMs: number;
  readonly queue: QueueLimits;
  readonly maxGroupsPerMessage: number;
  /** Largest value of payload + 32 x groups. Unit: bytes. */
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
  /** Not copied, so the caller must not change it until the send has completed. */
  readonly payload: Buffer;
  /** Bytes at the start of the payload that the sidecar added, for error messages. Default: 0. */
  readonly envelopeBytes?: number;
}

/** The reason why a receiver's stream ended. */
export type EndReason =
  | 'DISCONNECTED'
  | 'CONNECTION_CLOSED'
  | 'QUEUE_OVERFLOW'
  | 'SLOW_CONSUMER'
  | 'LEASE_EXPIRED'
  | 'DRAINING'
  | 'RECEIVER_REPLACED'
  | 'INTERNAL';

/** The end of the mailbox, for a receiver. */
export interface MailboxEnd {
  readonly reason: EndReason;
  /** CONNECTION_CLOSED: Spread's code for the end of a connection. */
  readonly spreadCode?: SpreadCodeName;
  /** The last event that the mailbox received. 0 if none. */
  readonly lastSequence: number;
  /** A message for people. */
  readonly message: string;
  /** Metadata for the caller, with the contract's keys: bound, time. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** State and counters of a mailbox at one moment, without its ID. */
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
  /** Milliseconds since 1970. Undefined while a receiver or a call holds the mailbox. */
  readonly leaseEndsAtMs: number | undefined;
  readonly displayId: string;
  /** The events and bytes that count against the limits of the queue. */
  readonly loadEvents: number;
  readonly loadBytes: number;
  /**
   * Milliseconds since 1970: the time at which the soft limit ends the mailbox. Undefined while its time does not
   * run.
   */
  readonly softLimitEndsAtMs: number | undefined;
}

/** Number of queued events and bytes. */
export interface PollResult {
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  readonly state: MailboxState;
}

/** How the owner ends a mailbox. */
export interface DisconnectOptions {
  /** LEAVE for every group in the order of joining, then the disconnect message. Not together with `abort`. */
  readonly leaveGroupsFirst?: boolean;
  /** Close the socket without a disconnect message. */
  readonly abort?: boolean;
}
