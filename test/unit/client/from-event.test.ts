import {
  CAUSED_BY_DISCONNECT,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  CAUSED_BY_NETWORK,
  ConnectionLost,
  ConnectionRestored,
  GroupId,
  MembershipMessage,
  RegularMessage,
  RejectedMessage,
  SELF_DISCARD,
  SERVICE_TYPES,
  SelfLeaveMessage,
  TransitionalMessage,
  ViewMessage,
} from 'spread-sidecar-client';
import { type Event, MembershipCause, RejectedOperation, ServiceType } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { toSpreadEvent } from '../../../clients/typescript/src/from-event.js';

const receivedAt = { seconds: 1_700_000_000n, nanos: 123_000_000 };
const convert = (kind: Event['kind']) => toSpreadEvent({ sequence: 7n, receivedAt, kind });
const groupId = { daemonId: 4_294_967_295, time: -1, index: 3 };
const message = {
  sender: '#a#b',
  groups: ['x', 'y', 'x'],
  serviceType: ServiceType.AGREED,
  messageType: -32768,
  payload: Buffer.from('grüß'),
  endianMismatch: true,
  selfDiscard: true,
  spreadType: 0x10 | SELF_DISCARD,
  headers: new Map([['content-type', 'text/plain']]),
};

describe('events of the contract as objects', () => {
  it('converts a complete regular message', () => {
    const event = convert({ $case: 'regularMessage', value: message });
    expect(event).toBeInstanceOf(RegularMessage);
    expect(event).toMatchObject({
      kind: 'regular',
      sequence: 7n,
      receivedAt: new Date(1_700_000_000_123),
      sender: '#a#b',
      groups: ['x', 'y', 'x'],
      serviceType: 0x10,
      serviceTypeName: 'AGREED',
      messageType: -32768,
      payload: message.payload,
      endianMismatch: true,
      selfDiscard: true,
      spreadType: 0x50,
      headers: { 'content-type': 'text/plain' },
    });
    expect((event as RegularMessage).text()).toBe('grüß');
  });

  it.each(Object.entries(SERVICE_TYPES))('converts service type %s to its bit', (name, bit) => {
    const serviceType = ServiceType[name as keyof typeof ServiceType];
    const event = convert({ $case: 'regularMessage', value: { ...message, serviceType } });
    expect(event).toMatchObject({ serviceType: bit, serviceTypeName: name });
  });

  it.each([
    [MembershipCause.JOIN, 'JOIN', CAUSED_BY_JOIN],
    [MembershipCause.LEAVE, 'LEAVE', CAUSED_BY_LEAVE],
    [MembershipCause.DISCONNECT, 'DISCONNECT', CAUSED_BY_DISCONNECT],
    [MembershipCause.NETWORK, 'NETWORK', CAUSED_BY_NETWORK],
  ])('converts a view of cause %i with its reason', (cause, name, reason) => {
    const value = {
      group: 'g',
      groupId,
      cause,
      members: ['#a#b', '#c#d'],
      ownIndex: 1,
      changedMembers: ['#c#d'],
      virtualSynchronySets: [
        { members: ['#a#b'], mine: false },
        { members: ['#c#d'], mine: true },
      ],
    };
    const event = convert({ $case: 'membershipView', value });
    expect(event).toBeInstanceOf(ViewMessage);
    expect(event).toBeInstanceOf(MembershipMessage);
    expect(event).toMatchObject({
      kind: 'view',
      group: 'g',
      reason,
      cause: name,
      members: value.members,
      ownIndex: 1,
      changedMembers: ['#c#d'],
      sets: value.virtualSynchronySets,
    });
    const id = (event as ViewMessage).groupId;
    expect(id.equals(new GroupId(4_294_967_295, -1, 3))).toBe(true);
    expect(id.equals(new GroupId(4_294_967_295, -1, 4))).toBe(false);
    expect(id.equals(undefined)).toBe(false);
    expect(String(id)).toBe('4294967295 -1 3');
  });

  it('converts a transitional signal with reason 0 and empty lists', () => {
    const event = convert({ $case: 'transitionalSignal', value: { group: 'g', groupId } });
    expect(event).toBeInstanceOf(TransitionalMessage);
    expect(event).toBeInstanceOf(MembershipMessage);
    expect(event).toMatchObject({
      kind: 'transitional',
      group: 'g',
      reason: 0,
      members: [],
      changedMembers: [],
    });
    expect((event as TransitionalMessage).groupId.index).toBe(3);
  });

  it('converts a self-leave', () => {
    const event = convert({ $case: 'selfLeave', value: { group: 'g' } });
    expect(event).toBeInstanceOf(SelfLeaveMessage);
    expect(event).toMatchObject({ kind: 'selfLeave', group: 'g', reason: CAUSED_BY_LEAVE, members: [] });
    expect((event as SelfLeaveMessage).groupId).toBeUndefined();
  });

  it.each([
    [RejectedOperation.JOIN, 'JOIN', ServiceType.UNSPECIFIED, 0],
    [RejectedOperation.LEAVE, 'LEAVE', ServiceType.UNSPECIFIED, 0],
    [RejectedOperation.MULTICAST, 'MULTICAST', ServiceType.FIFO, 4],
  ])('converts a rejected message, operation %i', (operation, name, serviceType, bit) => {
    const { selfDiscard: _, ...rest } = message;
    const event = convert({ $case: 'rejectedMessage', value: { ...rest, operation, serviceType } });
    expect(event).toBeInstanceOf(RejectedMessage);
    expect(event).toMatchObject({
      kind: 'rejected',
      operation: name,
      serviceType: bit,
      groups: message.groups,
      headers: { 'content-type': 'text/plain' },
    });
  });

  it('converts a lost and a restored connection', () => {
    const lost = { privateGroup: '#a#b', groups: ['g'], spreadCode: -8 };
    expect(convert({ $case: 'connectionLost', value: lost })).toMatchObject({
      kind: 'connectionLost',
      ...lost,
    });
    expect(convert({ $case: 'connectionLost', value: lost })).toBeInstanceOf(ConnectionLost);
    const restored = { previousPrivateGroup: '#a#b', privateGroup: '#c#b', groups: ['g'], daemon: '4803' };
    const event = convert({ $case: 'connectionRestored', value: restored });
    expect(event).toMatchObject({ kind: 'connectionRestored', ...restored });
    expect(event).toBeInstanceOf(ConnectionRestored);
  });

  it('returns nothing for an unknown kind', () => {
    expect(convert(undefined)).toBeUndefined();
    expect(convert({ $case: 'fromTheFuture', value: {} } as never)).toBeUndefined();
  });

  it('keeps an unknown cause and operation undefined', () => {
    const view = { group: 'g', groupId, cause: 99 as MembershipCause, members: [], ownIndex: -1 };
    const value = { ...view, changedMembers: [], virtualSynchronySets: [] };
    expect(convert({ $case: 'membershipView', value })).toMatchObject({ cause: undefined, reason: 0 });
  });
});
