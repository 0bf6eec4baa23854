import type { EncodeEvent, MailboxEvent } from '../../../server/src/mailbox/event.js';
import type { Batch } from '../../../server/src/mailbox/queue/receiver.js';
import type { Message } from '../../../server/src/spread/wire/index.js';

/** An event of plainEncode. */
export interface PlainEvent {
  readonly sequence: number;
  readonly receivedAtMs: number;
  readonly privateGroup: string;
  readonly kind: MailboxEvent['kind'];
  /**
   * The payload of a message, `old [groups] code` or `old > new [groups] daemon` of a connection, otherwise
   * the group.
   */
  readonly what: string;
}

/** An encoder with a readable format: length (4 bytes), then JSON. */
export const plainEncode: EncodeEvent = (space, sequence, receivedAtMs, event, privateGroup) => {
  const plain: PlainEvent = { sequence, receivedAtMs, privateGroup, kind: event.kind, what: whatOf(event) };
  const bytes = Buffer.from(JSON.stringify(plain));
  const at = space.reserve(4 + bytes.length);
  space.buffer.writeUInt32LE(bytes.length, at);
  space.buffer.set(bytes, at + 4);
};

function whatOf(event: MailboxEvent): string {
  switch (event.kind) {
    case 'regular':
      return event.payload.toString('latin1');
    case 'connectionLost':
      return `${event.privateGroup} [${event.groups}] ${event.spreadCode}`;
    case 'connectionRestored':
      return `${event.previousPrivateGroup} > ${event.privateGroup} [${event.groups}] ${event.daemon}`;
    default:
      return 'group' in event ? event.group : event.kind;
  }
}

export function plainEvents(batch: Batch | undefined): PlainEvent[] {
  const bytes = Buffer.concat(batch?.buffers ?? []);
  const events: PlainEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    events.push(JSON.parse(bytes.toString('utf8', at + 4, at + 4 + length)) as PlainEvent);
    at += 4 + length;
  }
  return events;
}

export function regular(payload: string, sender = '#other#test'): Extract<Message, { kind: 'regular' }> {
  return {
    kind: 'regular',
    sender,
    groups: ['room'],
    serviceType: 'AGREED',
    selfDiscard: false,
    rawType: 0x10,
    messageType: 0,
    endianMismatch: false,
    payload: Buffer.from(payload, 'latin1'),
  };
}

type View = Extract<Message, { kind: 'view' }>;

export function view(
  group: string,
  cause: View['cause'],
  members: readonly string[],
  changed: readonly string[],
): View {
  return {
    kind: 'view',
    group,
    groupId: { words: [1, 2, 3] },
    cause,
    members,
    vsSets: [changed],
    ownSetIndex: 0,
    changed,
  };
}

export function selfLeave(group: string): Extract<Message, { kind: 'selfLeave' }> {
  return { kind: 'selfLeave', group };
}

export function transitional(group: string): Extract<Message, { kind: 'transitional' }> {
  return { kind: 'transitional', group, groupId: { words: [1, 2, 3] } };
}

export function rejected(
  refused: 'JOIN' | 'LEAVE' | 'MESSAGE',
  group: string,
  sender: string,
): Extract<Message, { kind: 'rejected' }> {
  return {
    kind: 'rejected',
    sender,
    groups: [group],
    refused,
    selfDiscard: false,
    messageType: 0,
    endianMismatch: false,
    payload: Buffer.alloc(0),
    rawOldType: 0x100,
  };
}
