import type { SpreadEvent } from 'spread-sidecar-client';

const idOf = ({ daemonId, time, index }: { daemonId: number; time: number; index: number }) => [
  daemonId,
  time,
  index,
];

/** Converts an event to the protocol. */
export function toPlain(event: SpreadEvent): object {
  const { kind, sequence } = event;
  switch (event.kind) {
    case 'regular':
    case 'rejected': {
      const { sender, groups, serviceTypeName, messageType, payload, endianMismatch, selfDiscard } = event;
      const serviceType = serviceTypeName ?? null;
      const headers = { ...event.headers };
      const common = { kind, sequence, sender, groups, serviceType, messageType, headers };
      const text = payload.toString('base64');
      return event.kind === 'regular'
        ? { ...common, payload: text, endianMismatch, selfDiscard }
        : { ...common, payload: text, operation: event.operation ?? null };
    }
    case 'view': {
      const { group, cause, members, ownIndex, changedMembers, sets } = event;
      const groupId = idOf(event.groupId);
      return {
        kind,
        sequence,
        group,
        groupId,
        cause: cause ?? null,
        members,
        ownIndex,
        changedMembers,
        sets,
      };
    }
    case 'transitional':
      return { kind, sequence, group: event.group, groupId: idOf(event.groupId) };
    case 'selfLeave':
      return { kind, sequence, group: event.group };
    case 'connectionLost': {
      const { privateGroup, groups, spreadCode } = event;
      return { kind, sequence, privateGroup, groups, spreadCode };
    }
    case 'connectionRestored': {
      const { previousPrivateGroup, privateGroup, groups, daemon } = event;
      return { kind, sequence, previousPrivateGroup, privateGroup, groups, daemon };
    }
  }
}
