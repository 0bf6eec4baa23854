import type { SpreadEvent } from 'spread-sidecar-client';
import { jsonLine } from './json-line.js';

/** The text of bytes that are UTF-8; undefined if they are not. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * An event as one line of JSON. `kind` is its type. `sequence` is a string, because it can exceed the integers of
 * a JSON parser. A payload is in base64, and also in `text` if it is UTF-8.
 */
export function eventToJson(event: SpreadEvent): string {
  return jsonLine({
    kind: event.kind,
    sequence: String(event.sequence),
    receivedAt: event.receivedAt?.toISOString(),
    ...fields(event),
  });
}

function fields(event: SpreadEvent): object {
  switch (event.kind) {
    case 'regular':
    case 'rejected':
      return {
        ...(event.kind === 'rejected' ? { operation: event.operation } : {}),
        sender: event.sender,
        groups: event.groups,
        serviceType: event.serviceTypeName,
        messageType: event.messageType,
        selfDiscard: event.selfDiscard,
        endianMismatch: event.endianMismatch,
        spreadType: event.spreadType,
        headers: event.headers,
        payload: event.payload.toString('base64'),
        text: utf8(event.payload),
      };
    case 'view': {
      const { daemonId, time, index } = event.groupId;
      return {
        group: event.group,
        groupId: [daemonId, time, index],
        cause: event.cause,
        reason: event.reason,
        members: event.members,
        ownIndex: event.ownIndex,
        changedMembers: event.changedMembers,
        sets: event.sets,
      };
    }
    case 'transitional': {
      const { daemonId, time, index } = event.groupId;
      return { group: event.group, groupId: [daemonId, time, index] };
    }
    case 'selfLeave':
      return { group: event.group };
    case 'connectionLost':
      return { privateGroup: event.privateGroup, groups: event.groups, spreadCode: event.spreadCode };
    case 'connectionRestored':
      return {
        previousPrivateGroup: event.previousPrivateGroup,
        privateGroup: event.privateGroup,
        groups: event.groups,
        daemon: event.daemon,
      };
  }
}
