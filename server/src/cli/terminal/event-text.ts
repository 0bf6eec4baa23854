import type { RegularMessage, RejectedMessage, SpreadEvent, ViewMessage } from 'spread-sidecar-client';
import { utf8 } from './event-json.js';
import { count, type Output } from './output.js';

type Colors = Output['colors'];

/** Number of bytes shown of a payload that is not text. */
const SHOWN_BYTES = 64;

/** An event as text for people: one line, and for a view one more for each member. */
export function eventToText(event: SpreadEvent, colors: Colors): string {
  switch (event.kind) {
    case 'regular':
      return `${messageHeading(event, colors)}${colors.dim(headerList(event))} ${shownPayload(event.payload)}`;
    case 'rejected': {
      const what =
        event.operation === 'MULTICAST' ? 'message to' : (event.operation ?? 'request').toLowerCase();
      return colors.red(`the daemon rejected the ${what} ${groupList(event)}`);
    }
    case 'view':
      return viewToText(event, colors);
    case 'transitional':
      return colors.yellow(
        `transition in ${event.group}: until the next view, guarantees hold only among the members that stay together`,
      );
    case 'selfLeave':
      return colors.cyan(`left ${event.group}`);
    case 'connectionLost':
      return colors.red(
        `connection to the daemon lost (${event.spreadCode}), groups: ${event.groups.join(', ') || 'none'}`,
      );
    case 'connectionRestored':
      return colors.green(`reconnected as ${event.privateGroup} at ${event.daemon}`);
  }
}

/** The sender, groups, service type, message type and size of a message. */
export function messageHeading(event: RegularMessage, colors: Colors): string {
  return `${colors.bold(printable(event.sender))} to ${groupList(event)} ${colors.dim(details(event))}`;
}

const groupList = (event: RegularMessage | RejectedMessage) =>
  event.groups.map((name) => printable(name)).join(', ');

function details(event: RegularMessage): string {
  const parts = [
    event.serviceTypeName ?? 'unknown service',
    `type ${event.messageType}`,
    count(event.payload.length, 'byte'),
  ];
  if (event.selfDiscard) parts.push('self-discard');
  if (event.endianMismatch) parts.push('other byte order');
  return `(${parts.join(', ')})`;
}

/** The headers, if there are any. */
function headerList({ headers }: RegularMessage): string {
  const list = Object.entries(headers).map(([name, value]) => `${name}: ${printable(value)}`);
  return list.length > 0 ? ` [${list.join(', ')}]` : '';
}

const CAUSES = { JOIN: 'joined', LEAVE: 'left', DISCONNECT: 'disconnected' } as const;

/** A view with its members. */
export function viewToText(view: ViewMessage, colors: Colors): string {
  const count = view.members.length === 1 ? '1 member' : `${view.members.length} members`;
  const lines = [
    colors.cyan(`${printable(view.group)}: ${causeText(view)}; ${count}`) +
      colors.dim(` (view ${view.groupId})`),
  ];
  for (const [index, member] of view.members.entries())
    lines.push(`  ${index === view.ownIndex ? colors.green('*') : ' '} ${printable(member)}`);
  if (view.cause === 'NETWORK')
    for (const set of view.sets)
      lines.push(
        `  ${set.mine ? 'moved with me ' : 'moved together'} from the previous view: ${set.members.map((name) => printable(name)).join(', ')}`,
      );
  return lines.join('\n');
}

function causeText(view: ViewMessage): string {
  if (view.cause === undefined) return 'changed';
  if (view.cause !== 'NETWORK')
    return `${view.changedMembers.map((name) => printable(name)).join(', ')} ${CAUSES[view.cause]}`;
  return view.changedMembers.length === 0
    ? 'the network changed'
    : `the network changed, new members: ${view.changedMembers.map((name) => printable(name)).join(', ')}`;
}

/** A payload for a terminal: text without control characters, otherwise the first bytes in hexadecimal. */
export function shownPayload(payload: Buffer): string {
  const text = utf8(payload);
  if (text !== undefined) return printable(text, true);
  const more = payload.length > SHOWN_BYTES ? `… (${payload.length} bytes)` : '';
  return `0x${payload.subarray(0, SHOWN_BYTES).toString('hex')}${more}`;
}

/** Text with escaped control characters, so that a sender cannot control the terminal of a reader. */
export function printable(text: string, breaks = false): string {
  return text.replace(/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    if (breaks && (character === '\n' || character === '\t')) return character;
    return `\\x${character.codePointAt(0)?.toString(16).padStart(2, '0')}`;
  });
}
