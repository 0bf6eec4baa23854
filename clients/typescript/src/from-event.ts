import * as proto from 'spread-sidecar-proto';
import { toDate } from './duration.js';
import { toGroupId } from './group-id.js';
import { fromProtoHeaders } from './headers.js';
import {
  ConnectionLost,
  ConnectionRestored,
  type MembershipCause,
  RegularMessage,
  RejectedMessage,
  type RejectedOperation,
  SelfLeaveMessage,
  type SpreadEvent,
  TransitionalMessage,
  ViewMessage,
} from './messages.js';
import { toServiceBits } from './service-type.js';

const CAUSES: Partial<Record<proto.MembershipCause, MembershipCause>> = {
  [proto.MembershipCause.JOIN]: 'JOIN',
  [proto.MembershipCause.LEAVE]: 'LEAVE',
  [proto.MembershipCause.DISCONNECT]: 'DISCONNECT',
  [proto.MembershipCause.NETWORK]: 'NETWORK',
};

const OPERATIONS: Partial<Record<proto.RejectedOperation, RejectedOperation>> = {
  [proto.RejectedOperation.JOIN]: 'JOIN',
  [proto.RejectedOperation.LEAVE]: 'LEAVE',
  [proto.RejectedOperation.MULTICAST]: 'MULTICAST',
};

/** Converts a view of the contract. */
export function toView(view: proto.MembershipView): ViewMessage {
  return new ViewMessage({
    group: view.group,
    groupId: toGroupId(view.groupId),
    cause: CAUSES[view.cause],
    members: view.members,
    ownIndex: view.ownIndex,
    changedMembers: view.changedMembers,
    sets: view.virtualSynchronySets,
  });
}

function content(message: proto.RegularMessage | proto.RejectedMessage) {
  const { sender, groups, messageType, payload, endianMismatch, spreadType } = message;
  const serviceType = toServiceBits(message.serviceType);
  const headers = fromProtoHeaders(message.headers);
  return { sender, groups, serviceType, messageType, payload, endianMismatch, spreadType, headers };
}

function toMessage(kind: NonNullable<proto.Event['kind']>): SpreadEvent | undefined {
  switch (kind.$case) {
    case 'regularMessage':
      return new RegularMessage(content(kind.value));
    case 'membershipView':
      return toView(kind.value);
    case 'transitionalSignal':
      return new TransitionalMessage(kind.value.group, toGroupId(kind.value.groupId));
    case 'selfLeave':
      return new SelfLeaveMessage(kind.value.group);
    case 'rejectedMessage':
      return new RejectedMessage(OPERATIONS[kind.value.operation], content(kind.value));
    case 'connectionLost':
      return new ConnectionLost(kind.value.privateGroup, kind.value.groups, kind.value.spreadCode);
    case 'connectionRestored': {
      const { previousPrivateGroup, privateGroup, groups, daemon } = kind.value;
      return new ConnectionRestored(previousPrivateGroup, privateGroup, groups, daemon);
    }
    default:
      return undefined;
  }
}

/** Converts an event of the contract. Undefined for a kind that this release does not know. */
export function toSpreadEvent(event: proto.Event): SpreadEvent | undefined {
  const message = event.kind && toMessage(event.kind);
  if (!message) return undefined;
  message.sequence = event.sequence;
  message.receivedAt = toDate(event.receivedAt);
  return message;
}
