import type { Message } from '../../../server/src/spread/wire/index.js';
import type { TranscriptStep } from './transcripts.js';

const SERVICE_NAMES = new Map([
  [1, 'UNRELIABLE'],
  [2, 'RELIABLE'],
  [4, 'FIFO'],
  [8, 'CAUSAL'],
  [16, 'AGREED'],
  [32, 'SAFE'],
]);

/** The facts of a decoded message that a note states. */
export type Facts = Record<string, unknown>;

/** The facts in the note of a `recv` step. Undefined if it states none. */
export function factsOfNote(step: TranscriptStep): Facts | undefined {
  const { note } = step;
  let m = /^REG_MEMB caused by (\w+) for group (.*), (\d+) member\(s\), group id index (\d+)$/s.exec(note);
  if (m)
    return { kind: 'view', cause: m[1], group: m[2], memberCount: Number(m[3]), groupIdIndex: Number(m[4]) };
  m =
    /^data message type 0x([0-9a-f]+) from (\S+), (\d+) group\(s\), mess_type (-?\d+), (\d+) byte\(s\)/.exec(
      note,
    );
  if (m) {
    const type = Number.parseInt(m[1]!, 16);
    return {
      kind: 'regular',
      serviceType: SERVICE_NAMES.get(type & 0x3f),
      selfDiscard: (type & 0x40) !== 0,
      sender: m[2],
      groupCount: Number(m[3]),
      messageType: Number(m[4]),
      payloadLength: Number(m[5]),
      endianMismatch: false,
    };
  }
  m = /^self-leave notice for group (.*)$/s.exec(note);
  if (m) return { kind: 'selfLeave', group: m[1] };
  m = /^TRANSITION(?: for group (\w+))?/.exec(note);
  if (m) return { kind: 'transitional', group: m[1] ?? 'net' };
  m = /^delivered with the extra bits 0x([0-9a-f]+)$/.exec(note);
  if (m)
    return {
      kind: 'regular',
      serviceType: 'RELIABLE',
      rawType: 2 + Number.parseInt(m[1]!, 16),
      payloadLength: 4,
    };
  m = /^REJECT frame: .* old type 0x([0-9a-f]+), (\d+) group names .*, (\d+) data bytes/.exec(note);
  if (m) {
    return {
      kind: 'rejected',
      rawOldType: Number.parseInt(m[1]!, 16) & 0x7fffff7f,
      // the last one is the sender
      groupCount: Number(m[2]) - 1,
      payloadLength: Number(m[3]),
    };
  }
  return undefined;
}

/** The same facts of a decoded message. */
export function factsOf(message: Message): Facts {
  switch (message.kind) {
    case 'view':
      return { ...message, memberCount: message.members.length, groupIdIndex: message.groupId.words[2] };
    case 'regular':
    case 'rejected':
      return { ...message, groupCount: message.groups.length, payloadLength: message.payload.length };
    default:
      return { ...message };
  }
}

/** A message as one line of text: equal exactly when the messages are, and quick to compare for large payloads. */
export function fingerprint(message: Message): string {
  return JSON.stringify(message, (_key, value: unknown) => {
    if (
      value !== null &&
      typeof value === 'object' &&
      'type' in value &&
      value.type === 'Buffer' &&
      'data' in value
    ) {
      return Buffer.from(value.data as number[]).toString('base64');
    }
    return value;
  });
}
