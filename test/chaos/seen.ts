import { SpreadError, type SpreadEvent } from 'spread-sidecar-client';
import type { Message } from '../../server/src/spread/wire/index.js';
import type { Failure, Seen, Service } from './history.js';
import { idOf, measure } from './payload.js';

/** Converts an event of the client for the history. */
export function seenByClient(event: SpreadEvent): Seen {
  switch (event.kind) {
    case 'regular':
      return {
        is: 'message',
        id: idOf(event.payload),
        sender: event.sender,
        groups: event.groups,
        service: event.serviceTypeName as Service,
        selfDiscard: event.selfDiscard,
        ...measure(event.payload),
      };
    case 'view':
      return {
        is: 'view',
        group: event.group,
        id: String(event.groupId),
        cause: String(event.cause),
        members: event.members,
        changed: event.changedMembers,
        own: event.ownIndex,
        ...(event.cause === 'NETWORK' && {
          sets: event.sets.map(({ members }) => members),
          ownSet: event.sets.findIndex(({ mine }) => mine),
        }),
      };
    case 'transitional':
      return { is: 'transitional', group: event.group, id: String(event.groupId) };
    case 'selfLeave':
      return { is: 'selfLeave', group: event.group };
    case 'rejected':
      return { is: 'rejected' };
    case 'connectionLost':
      return { is: 'lost', groups: event.groups };
    case 'connectionRestored':
      return { is: 'restored', privateGroup: event.privateGroup, groups: event.groups };
  }
}

/** Converts a message of a session for the history. */
export function seenBySession(message: Message, privateGroup: string): Seen {
  switch (message.kind) {
    case 'regular':
      return {
        is: 'message',
        id: idOf(message.payload),
        sender: message.sender,
        groups: message.groups,
        service: message.serviceType,
        selfDiscard: message.selfDiscard,
        ...measure(message.payload),
      };
    case 'view':
      return {
        is: 'view',
        group: message.group,
        id: message.groupId.words.join(' '),
        cause: message.cause,
        members: message.members,
        changed: message.changed,
        own: message.members.indexOf(privateGroup),
        ...(message.cause === 'NETWORK' && { sets: message.vsSets, ownSet: message.ownSetIndex }),
      };
    case 'transitional':
      return { is: 'transitional', group: message.group, id: message.groupId.words.join(' ') };
    case 'selfLeave':
      return { is: 'selfLeave', group: message.group };
    case 'rejected':
      return { is: 'rejected' };
  }
}

/**
 * Converts an error for the history. An error that is not a SpreadError is a defect of the client, and is
 * recorded as one.
 */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof SpreadError))
    return {
      status: 'DEFECT',
      reason: '',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  const last = error.metadata.last_sequence;
  return {
    status: error.statusName,
    reason: error.reason,
    message: error.message,
    ...(last === undefined ? {} : { lastSequence: Number(last) }),
  };
}
