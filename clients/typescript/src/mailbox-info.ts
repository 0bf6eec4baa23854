import {
  Acknowledgement,
  type Mailbox as ProtoMailbox,
  MailboxState as ProtoState,
  type Version,
} from 'spread-sidecar-proto';
import { toDate } from './duration.js';
import { type MailboxLimits, toMailboxLimits } from './limits.js';

/** The version of a release. */
export type VersionTriple = readonly [major: number, minor: number, patch: number];

/** The state of a mailbox. */
export type MailboxState = 'OPEN' | 'RECONNECTING' | 'ENDED' | 'UNKNOWN';

/** How events are acknowledged. */
export type AcknowledgementMode = 'AUTO' | 'EXPLICIT';

/** State and counters of a mailbox. */
export interface MailboxInfo {
  /** The private group of the mailbox. */
  privateGroup: string;
  state: MailboxState;
  /** The Spread name of the daemon. */
  daemon: string;
  daemonVersion: VersionTriple;
  /** Whether the mailbox receives membership messages. */
  membership: boolean;
  acknowledgement: AcknowledgementMode;
  limits: MailboxLimits;
  /** The groups of the mailbox, in the order in which it joined them. */
  groups: string[];
  openedAt: Date | undefined;
  /** Whether a Receive stream is attached. */
  receiverAttached: boolean;
  /** Sequence of the last event from the daemon. 0 if none. */
  lastSequence: bigint;
  /** Sequence of the last event that was delivered to a Receive stream. 0 if none. */
  deliveredSequence: bigint;
  /**
   * Sequence of the last acknowledged event. In AUTO mode, of the last event that is no longer retained. 0 if
   * none.
   */
  acknowledgedSequence: bigint;
  /** Number of queued events, which were not yet delivered to a Receive stream. */
  waitingEvents: number;
  /** Size of the queued events. Unit: bytes. */
  waitingBytes: number;
  /** Size of all retained events, delivered or not. Unit: bytes. */
  retainedBytes: number;
  /** Number of messages passed to the daemon. */
  messagesSent: number;
  /** Payload bytes passed to the daemon. */
  payloadBytesSent: number;
  /** Size of the send queue to the daemon. Unit: bytes. */
  sendQueueBytes: number;
  /** Whether the sidecar stopped reading from the daemon because the queue is full. */
  paused: boolean;
  /** When the lease expires if the mailbox is not used. Undefined while a Receive stream is attached. */
  leaseEndsAt: Date | undefined;
  /** The display ID, which logs and metrics show. It is not a secret and gives no access. */
  displayId: string;
  /**
   * When the sidecar ends the mailbox because its queue exceeds the soft limit. Undefined while the queue
   * does not exceed the limit.
   */
  softLimitEndsAt: Date | undefined;
}

export const toTriple = (version: Version | undefined): VersionTriple => [
  version?.major ?? 0,
  version?.minor ?? 0,
  version?.patch ?? 0,
];

export function toState(state: ProtoState): MailboxState {
  if (state === ProtoState.OPEN) return 'OPEN';
  if (state === ProtoState.RECONNECTING) return 'RECONNECTING';
  return state === ProtoState.ENDED ? 'ENDED' : 'UNKNOWN';
}

export const toAcknowledgementMode = (mode: Acknowledgement): AcknowledgementMode =>
  mode === Acknowledgement.EXPLICIT ? 'EXPLICIT' : 'AUTO';

/** Converts a mailbox of the contract. */
export function toMailboxInfo(mailbox: ProtoMailbox): MailboxInfo {
  return {
    privateGroup: mailbox.privateGroup,
    state: toState(mailbox.state),
    daemon: mailbox.daemon,
    daemonVersion: toTriple(mailbox.daemonVersion),
    membership: mailbox.membership,
    acknowledgement: toAcknowledgementMode(mailbox.acknowledgement),
    limits: toMailboxLimits(mailbox.limits),
    groups: mailbox.groups,
    openedAt: toDate(mailbox.openedAt),
    receiverAttached: mailbox.receiverAttached,
    lastSequence: mailbox.lastSequence,
    deliveredSequence: mailbox.deliveredSequence,
    acknowledgedSequence: mailbox.acknowledgedSequence,
    waitingEvents: Number(mailbox.waitingEvents),
    waitingBytes: Number(mailbox.waitingBytes),
    retainedBytes: Number(mailbox.retainedBytes),
    messagesSent: Number(mailbox.messagesSent),
    payloadBytesSent: Number(mailbox.payloadBytesSent),
    sendQueueBytes: Number(mailbox.sendQueueBytes),
    paused: mailbox.paused,
    leaseEndsAt: toDate(mailbox.leaseEndsAt),
    displayId: mailbox.displayId,
    softLimitEndsAt: toDate(mailbox.softLimitEndsAt),
  };
}
