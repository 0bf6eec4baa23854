import {
  Acknowledgement,
  type Mailbox,
  type MailboxLimits as MailboxLimitsMessage,
  MailboxState,
  type MulticastMessage,
  OverflowPolicy,
  type QueueLimits as QueueLimitsMessage,
  ServiceType,
  type SlowConsumerNotice as SlowConsumerMessage,
  type Timestamp,
  type Version as VersionMessage,
} from 'spread-sidecar-proto';
import type {
  MailboxLimits,
  MailboxSnapshot,
  OutgoingMessage,
  QueueLimits,
} from '../../mailbox/mailbox-types.js';
import type { SlowConsumerNotice } from '../../mailbox/queue/receiver.js';
import { SpreadError } from '../../spread/spread-error.js';
import type { ServiceTypeName, Version } from '../../spread/wire/index.js';
import { type HeaderMode, payloadWithHeaders } from './message-headers.js';
import { durationOf, timestampOf } from './time.js';

const SERVICE_TYPES: Readonly<Record<number, ServiceTypeName>> = {
  [ServiceType.UNRELIABLE]: 'UNRELIABLE',
  [ServiceType.RELIABLE]: 'RELIABLE',
  [ServiceType.FIFO]: 'FIFO',
  [ServiceType.CAUSAL]: 'CAUSAL',
  [ServiceType.AGREED]: 'AGREED',
  [ServiceType.SAFE]: 'SAFE',
};
const SERVICE_TYPE_BOUND = Object.values(SERVICE_TYPES).join(', ');

/**
 * @throws SpreadError ILLEGAL_SERVICE; EdgeError HEADER_NAME_INVALID, HEADERS_TOO_LARGE, HEADERS_OFF. Everything else is
 * checked when the message is encoded
 */
export function outgoingMessage(message: MulticastMessage, headers: HeaderMode): OutgoingMessage {
  const serviceType = SERVICE_TYPES[message.serviceType];
  if (serviceType === undefined) {
    throw new SpreadError('ILLEGAL_SERVICE', `service_type must be one of ${SERVICE_TYPE_BOUND}`, {
      field: 'service_type',
      bound: SERVICE_TYPE_BOUND,
    });
  }
  const { groups, payload, messageType, selfDiscard } = message;
  const sent = payloadWithHeaders(message.headers, payload, headers);
  if (sent === payload) return { serviceType, groups, payload, messageType, selfDiscard };
  const envelopeBytes = sent.length - payload.length;
  return { serviceType, groups, payload: sent, messageType, selfDiscard, envelopeBytes };
}

export function versionMessage(version: Version): VersionMessage {
  const { major, minor, patch } = version;
  return { major, minor, patch };
}

export function limitsMessage(limits: MailboxLimits): MailboxLimitsMessage {
  return {
    lease: durationOf(limits.leaseMs),
    queue: queueLimitsMessage(limits.queue),
    maxGroupsPerMessage: limits.maxGroupsPerMessage,
    maxMessageBytes: limits.maxMessageBytes,
    maxGroups: limits.maxGroups,
    maxSendQueueBytes: BigInt(limits.maxSendQueueBytes),
  };
}

function queueLimitsMessage(limits: QueueLimits): QueueLimitsMessage {
  return {
    maxEvents: BigInt(limits.maxEvents),
    maxBytes: BigInt(limits.maxBytes),
    replayBytes: BigInt(limits.replayBytes),
    overflow: OverflowPolicy[limits.overflow],
    softLimit: limits.softLimit && {
      fraction: limits.softLimit.fraction,
      time: durationOf(limits.softLimit.timeMs),
    },
  };
}

/** @param nowMs milliseconds since 1970 */
export function slowConsumerMessage(notice: SlowConsumerNotice, nowMs: number): SlowConsumerMessage {
  const { queuedEvents, queuedBytes, limits, mark, timeLeftMs } = notice;
  return {
    queuedEvents: BigInt(queuedEvents),
    queuedBytes: BigInt(queuedBytes),
    limits: queueLimitsMessage(limits),
    markEvents: BigInt(mark.events),
    markBytes: BigInt(mark.bytes),
    timeLeft: timeLeftMs === undefined ? undefined : durationOf(Math.ceil(timeLeftMs)),
    time: timestampOf(nowMs),
  };
}

export function mailboxMessage(snapshot: MailboxSnapshot): Mailbox {
  return {
    privateGroup: snapshot.privateGroup,
    state: MailboxState[snapshot.state],
    daemon: snapshot.daemon,
    daemonVersion: versionMessage(snapshot.daemonVersion),
    membership: snapshot.membership,
    acknowledgement: Acknowledgement[snapshot.acknowledgement],
    limits: limitsMessage(snapshot.limits),
    groups: [...snapshot.groups],
    openedAt: timestampOf(snapshot.openedAtMs),
    receiverAttached: snapshot.receiverAttached,
    lastSequence: BigInt(snapshot.lastSequence),
    deliveredSequence: BigInt(snapshot.deliveredSequence),
    acknowledgedSequence: BigInt(snapshot.acknowledgedSequence),
    waitingEvents: BigInt(snapshot.waitingEvents),
    waitingBytes: BigInt(snapshot.waitingBytes),
    retainedBytes: BigInt(snapshot.retainedBytes),
    messagesSent: BigInt(snapshot.messagesSent),
    payloadBytesSent: BigInt(snapshot.payloadBytesSent),
    sendQueueBytes: BigInt(snapshot.sendQueueBytes),
    paused: snapshot.paused,
    leaseEndsAt: momentOf(snapshot.leaseEndsAtMs),
    displayId: snapshot.displayId,
    softLimitEndsAt: momentOf(snapshot.softLimitEndsAtMs),
  };
}

/** @param ms milliseconds since 1970, if there is such a moment */
function momentOf(ms: number | undefined): Timestamp | undefined {
  return ms === undefined ? undefined : timestampOf(ms);
}
