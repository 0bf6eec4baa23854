import {
  ConnectionLost,
  ConnectionRestored,
  GroupId,
  type MembershipCause,
  RegularMessage,
  RejectedMessage,
  SelfLeaveMessage,
  type SpreadEvent,
  TransitionalMessage,
  ViewMessage,
} from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { eventToJson } from '../../../server/src/cli/terminal/event-json.js';
import { eventToText, printable, shownPayload } from '../../../server/src/cli/terminal/event-text.js';
import { Output } from '../../../server/src/cli/terminal/output.js';

const { colors } = new Output(process.stdout, false, () => {});
const groupId = new GroupId(7, 8, 9);

const content = {
  sender: '#a#n',
  groups: ['x', 'y'],
  serviceType: 0x20,
  messageType: -5,
  payload: Buffer.from('grüß\n'),
  endianMismatch: false,
  spreadType: 0x20,
};
const message = (more = {}) => new RegularMessage({ ...content, ...more });
const view = (cause: MembershipCause | undefined, changedMembers: string[]) =>
  new ViewMessage({
    group: 'g',
    groupId,
    cause,
    members: ['#a#n', '#b#n'],
    ownIndex: 1,
    changedMembers,
    sets: [
      { members: ['#a#n'], mine: false },
      { members: ['#b#n'], mine: true },
    ],
  });

describe('events for people', () => {
  it.each<[SpreadEvent, string]>([
    [message(), '#a#n to x, y (SAFE, type -5, 7 bytes) grüß\n'],
    [
      message({ payload: Buffer.from([0, 255]), spreadType: 0x60, endianMismatch: true }),
      '#a#n to x, y (SAFE, type -5, 2 bytes, self-discard, other byte order) 0x00ff',
    ],
    [
      message({ headers: { 'content-type': 'text/plain', note: 'a\u001b[2J' } }),
      '#a#n to x, y (SAFE, type -5, 7 bytes) [content-type: text/plain, note: a\\x1b[2J] grüß\n',
    ],
    [view('JOIN', ['#b#n']), 'g: #b#n joined; 2 members (view 7 8 9)\n    #a#n\n  * #b#n'],
    [view('LEAVE', ['#c#n']), 'g: #c#n left; 2 members (view 7 8 9)\n    #a#n\n  * #b#n'],
    [view('DISCONNECT', ['#c#n']), 'g: #c#n disconnected; 2 members (view 7 8 9)\n    #a#n\n  * #b#n'],
    [
      view('NETWORK', ['#a#n']),
      'g: the network changed, new members: #a#n; 2 members (view 7 8 9)\n    #a#n\n  * #b#n\n  moved together from the previous view: #a#n\n  moved with me  from the previous view: #b#n',
    ],
    [view(undefined, []), 'g: changed; 2 members (view 7 8 9)\n    #a#n\n  * #b#n'],
    [
      new TransitionalMessage('g', groupId),
      'transition in g: until the next view, guarantees hold only among the members that stay together',
    ],
    [new SelfLeaveMessage('g'), 'left g'],
    [new RejectedMessage('JOIN', content), 'the daemon rejected the join x, y'],
    [new RejectedMessage('MULTICAST', content), 'the daemon rejected the message to x, y'],
    [new ConnectionLost('#a#n', ['g'], -8), 'connection to the daemon lost (-8), groups: g'],
    [new ConnectionRestored('#a#n', '#b#n', ['g'], '4803'), 'reconnected as #b#n at 4803'],
  ])('%o', (event, text) => {
    expect(eventToText(event, colors)).toBe(text);
  });

  it('show a binary payload in hexadecimal, truncated', () => {
    expect(shownPayload(Buffer.alloc(100, 0xff))).toBe(`0x${'ff'.repeat(64)}… (100 bytes)`);
    expect(shownPayload(Buffer.alloc(0))).toBe('');
  });

  it('do not let a sender control the terminal', () => {
    expect(shownPayload(Buffer.from('a\u001b[2Jb\tc\nd\r'))).toBe('a\\x1b[2Jb\tc\nd\\x0d');
    expect(printable('evil\nname\u009b\u202e')).toBe('evil\\x0aname\\x9b\\x202e');
    const forged = view('JOIN', ['#\u001b[31m#n']);
    expect(eventToText(forged, colors)).toContain('#\\x1b[31m#n joined');
  });
});

describe('events for programs', () => {
  const parse = (event: SpreadEvent) => JSON.parse(eventToJson(event));

  it('contain the whole message with any bytes', () => {
    const event = message({ payload: Buffer.from([0xff, 0]) });
    event.sequence = 2n ** 60n;
    event.receivedAt = new Date(1_700_000_000_123);
    expect(parse(event)).toEqual({
      kind: 'regular',
      sequence: '1152921504606846976',
      receivedAt: '2023-11-14T22:13:20.123Z',
      sender: '#a#n',
      groups: ['x', 'y'],
      serviceType: 'SAFE',
      messageType: -5,
      selfDiscard: false,
      endianMismatch: false,
      spreadType: 32,
      headers: {},
      payload: '/wA=',
    });
    expect(parse(message({ headers: { 'reply-to': '#a#n' } })).headers).toEqual({ 'reply-to': '#a#n' });
    expect(parse(message())).toMatchObject({
      text: 'grüß\n',
      payload: Buffer.from('grüß\n').toString('base64'),
    });
  });

  it.each<[SpreadEvent, object]>([
    [
      view('NETWORK', ['#a#n']),
      {
        kind: 'view',
        group: 'g',
        groupId: [7, 8, 9],
        cause: 'NETWORK',
        reason: 0x800,
        members: ['#a#n', '#b#n'],
        ownIndex: 1,
        changedMembers: ['#a#n'],
        sets: [
          { members: ['#a#n'], mine: false },
          { members: ['#b#n'], mine: true },
        ],
      },
    ],
    [new TransitionalMessage('g', groupId), { kind: 'transitional', group: 'g', groupId: [7, 8, 9] }],
    [new SelfLeaveMessage('g'), { kind: 'selfLeave', group: 'g' }],
    [new RejectedMessage('LEAVE', content), { kind: 'rejected', operation: 'LEAVE', groups: ['x', 'y'] }],
    [new ConnectionLost('#a#n', ['g'], -8), { kind: 'connectionLost', privateGroup: '#a#n', spreadCode: -8 }],
    [
      new ConnectionRestored('#a#n', '#b#n', ['g'], '4803'),
      { kind: 'connectionRestored', previousPrivateGroup: '#a#n', privateGroup: '#b#n', daemon: '4803' },
    ],
  ])('%o', (event, fields) => {
    expect(eventToJson(event)).not.toContain('\n');
    expect(parse(event)).toMatchObject(fields);
  });
});
