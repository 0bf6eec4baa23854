import {
  type Event,
  type GroupId,
  MembershipCause,
  type MembershipView,
  RejectedOperation,
  type SelfLeave,
  ServiceType,
} from 'spread-sidecar-proto';
import { openEnvelope } from '../../envelope/envelope.js';
import type { MailboxEvent, SelfLeave as SelfLeaveEvent, View } from '../../mailbox/event.js';
import { REJECT_MESS, type ServiceTypeName } from '../../spread/wire/index.js';
import type { HeaderMode } from './message-headers.js';
import { timestampOf } from './time.js';

const REJECTED_OPERATION = {
  JOIN: RejectedOperation.JOIN,
  LEAVE: RejectedOperation.LEAVE,
  MESSAGE: RejectedOperation.MULTICAST,
} as const;

/** Converts an event of a mailbox to the contract's Event. */
export function eventMessage(
  sequence: number,
  receivedAtMs: number,
  event: MailboxEvent,
  privateGroup: string,
  headers: HeaderMode,
): Event {
  return {
    sequence: BigInt(sequence),
    receivedAt: timestampOf(receivedAtMs),
    kind: kindOf(event, privateGroup, headers),
  };
}

function kindOf(event: MailboxEvent, privateGroup: string, headers: HeaderMode): Event['kind'] {
  switch (event.kind) {
    case 'regular':
      return {
        $case: 'regularMessage',
        value: {
          sender: event.sender,
          groups: [...event.groups],
          serviceType: serviceTypeOf(event.serviceType),
          messageType: event.messageType,
          ...contentOf(event.payload, headers),
          endianMismatch: event.endianMismatch,
          selfDiscard: event.selfDiscard,
          spreadType: event.rawType >>> 0,
        },
      };
    case 'view':
      return { $case: 'membershipView', value: viewMessage(event, privateGroup) };
    case 'transitional':
      return {
        $case: 'transitionalSignal',
        value: { group: event.group, groupId: groupIdOf(event.groupId) },
      };
    case 'selfLeave':
      return { $case: 'selfLeave', value: selfLeaveMessage(event) };
    case 'rejected':
      return {
        $case: 'rejectedMessage',
        value: {
          operation: REJECTED_OPERATION[event.refused],
          sender: event.sender,
          groups: [...event.groups],
          serviceType: event.serviceType ? serviceTypeOf(event.serviceType) : ServiceType.UNSPECIFIED,
          messageType: event.messageType,
          ...contentOf(event.payload, headers),
          endianMismatch: event.endianMismatch,
          spreadType: (event.rawOldType | REJECT_MESS) >>> 0,
        },
      };
    case 'connectionLost': {
      const { privateGroup: lost, groups, spreadCode } = event;
      return { $case: 'connectionLost', value: { privateGroup: lost, groups: [...groups], spreadCode } };
    }
    case 'connectionRestored': {
      const { previousPrivateGroup, privateGroup: restored, groups, daemon } = event;
      const value = { previousPrivateGroup, privateGroup: restored, groups: [...groups], daemon };
      return { $case: 'connectionRestored', value };
    }
  }
}

function contentOf(bytes: Buffer, headers: HeaderMode): { headers: Map<string, string>; payload: Buffer } {
  return headers === 'on' ? openEnvelope(bytes) : { headers: new Map(), payload: bytes };
}

export function viewMessage(view: View, privateGroup: string): MembershipView {
  return {
    group: view.group,
    groupId: groupIdOf(view.groupId),
    cause: MembershipCause[view.cause],
    members: [...view.members],
    ownIndex: view.members.indexOf(privateGroup),
    changedMembers: [...view.changed],
    virtualSynchronySets: view.vsSets.map((members, index) => ({
      members: [...members],
      mine: index === view.ownSetIndex,
    })),
  };
}

export function selfLeaveMessage(event: SelfLeaveEvent): SelfLeave {
  return { group: event.group };
}

/** The names are the same on both sides. */
export function serviceTypeOf(name: ServiceTypeName): ServiceType {
  return ServiceType[name];
}

function groupIdOf(id: View['groupId']): GroupId {
  const [daemonId, time, index] = id.words;
  return { daemonId, time, index };
}
