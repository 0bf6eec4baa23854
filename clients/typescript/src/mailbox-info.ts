import {
  Acknowledgement,
  type Mailbox as ProtoMailbox,
  MailboxState as ProtoState,
  type Version,
} from 'spread-sidecar-proto';
import { toDate } from './duration.js';
import { type MailboxLimits, toMailboxLimits } from './limits.js';

/** Three numbers that name a release: major, minor, patch. */
export type VersionTriple = readonly [major: number, minor: number, patch: number];

/** The life of a mailbox. */
export type MailboxState = 'OPEN' | 'RECONNECTING' | 'ENDED' | 'UNKNOWN';

/** How events are acknowledged. */
export type AcknowledgementMode = 'AUTO' | 'EXPLICIT';

/** State and counters of a mailbox. */
export interface MailboxInfo {
  /** Its private group. */
  privateGroup: string;
  state: MailboxState;
  /** The daemon, as a spread name. */
  daemon: string;
  daemonVersion: VersionTriple;
  /** Whether it receives membership messages. */
  membership: boolean;
  acknowledgement: AcknowledgementMode;
  limits: MailboxLimits;
  /** The groups that it is in, in the order in which it joined them. */
  groups: string[];
  openedAt: Date | undefined;
  /** Whether a Receive stream is attached. */
  receiverAttached: boolean;
  /** The last event received from the daemon; 0 if none. */
  lastSequence: bigint;
  /** The last event given to a Receive stream; 0 if none. */
  deliveredSequence: bigint;
  /** The last acknowledged event; with AUTO the last one that is no longer kept. 0 if none. */
  acknowledgedSequence: bigint;
  /** Events that were not yet given to a Receive stream. */
  waitingEvents: number;
  /** Their bytes. */
  waitingBytes: number;
  /** Bytes of all retained events, given or not. */
  retainedBytes: number;
  /** Messages handed to the daemon. */
  messagesSent: number;
  /** Payload bytes handed to the daemon. */
  payloadBytesSent: number;
  /** Bytes that wait to be taken by the daemon's connection. */
  sendQueueBytes: number;
  /** Whether reading from the daemon is paused because the queue is full. */
  paused: boolean;
  /** When the lease will end if nothing happens; not set while a Receive stream is attached. */
  leaseEndsAt: Date | undefined;
  /** A short id that is safe to show: the one in logs and metrics. It opens nothing. */
  displayId: string;
  /** When it will be ended because its queue is above the soft bound; not set while it is not. */
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

/** A mailbox of the contract as an object of this package. */
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
