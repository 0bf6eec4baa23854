import {
  CAUSED_BY_DISCONNECT,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  GroupId,
  MembershipMessage,
} from 'spread-sidecar-client';
import { MembershipCause } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { next, refused, world } from '../support/clients/spread-api.js';
import { call } from '../support/sidecars/sidecar-calls.js';

const ALICE = '#alice#localhost';
const BOB = '#bob#localhost';

/** Alice is in the group. Bob is not a member yet. */
async function aliceInRoom() {
  const { running, spread } = await world();
  const alice = await spread.connect({ privateName: 'alice' });
  const bob = await spread.connect({ privateName: 'bob' });
  const first = (await alice.join('room', { awaitView: true }))!;
  await next(alice, 'view');
  return { running, alice, bob, first };
}

/** Bob joins. Returns the view that Alice receives. */
async function bobJoins() {
  const all = await aliceInRoom();
  const seenByBob = (await all.bob.join('room', { awaitView: true }))!;
  return { ...all, seenByBob, view: await next(all.alice, 'view') };
}

describe('groups of the C API', () => {
  it('SP_join: returns immediately, or with the view that contains the mailbox', async () => {
    const { alice, bob } = await aliceInRoom();
    expect(await bob.join('room')).toBeUndefined();
    expect(await next(bob, 'view')).toMatchObject({ group: 'room', members: [ALICE, BOB], ownIndex: 1 });
    expect(await bob.join('hall', { awaitView: true })).toMatchObject({ group: 'hall', members: [BOB] });
    expect((await refused(alice.join('no blanks'))).code).toBe('ILLEGAL_GROUP');
  });

  it('SP_leave: returns immediately, or with the self-leave', async () => {
    const { alice, bob } = await bobJoins();
    expect(await bob.leave('room', { awaitView: true })).toMatchObject({ kind: 'selfLeave', group: 'room' });
    expect(await next(alice, 'view')).toMatchObject({
      cause: 'LEAVE',
      members: [ALICE],
      changedMembers: [BOB],
    });
    expect(await alice.leave('room')).toBeUndefined();
    expect(await next(alice, 'selfLeave')).toMatchObject({ group: 'room' });
  });

  it('SP_get_memb_info: a view arrives decoded', async () => {
    const { running, bob, seenByBob } = await bobJoins();
    const { view } = await call(running.client, 'getView', { mailboxId: bob.id, group: 'room' });
    expect(view).toEqual({
      group: 'room',
      groupId: { ...seenByBob.groupId },
      cause: MembershipCause.JOIN,
      members: [ALICE, BOB],
      ownIndex: 1,
      changedMembers: [BOB],
      virtualSynchronySets: [{ members: [BOB], mine: true }],
    });
  });

  it('SP_equal_group_ids: equal for all members of a view, different in the next view', async () => {
    const { first, view, seenByBob } = await bobJoins();
    expect(view.groupId.equals(seenByBob.groupId)).toBe(true);
    expect(view.groupId.equals(first.groupId)).toBe(false);
  });

  it('group_id: three words', async () => {
    const { running, alice, first } = await aliceInRoom();
    const { view } = await call(running.client, 'getView', { mailboxId: alice.id, group: 'room' });
    expect(Object.values(view!.groupId!)).toEqual([
      first.groupId.daemonId,
      first.groupId.time,
      first.groupId.index,
    ]);
    expect(first.groupId.equals(new GroupId(view!.groupId!.daemonId, view!.groupId!.time, 1))).toBe(true);
  });

  it('membership_info.gid: the identity of the view', async () => {
    const { view, first } = await bobJoins();
    expect([first.groupId.index, view.groupId.index]).toEqual([1, 2]);
  });

  it('membership_info.changed_member: who joined, left or was disconnected', async () => {
    const { alice, bob, view } = await bobJoins();
    expect(view.changedMembers).toEqual([BOB]);
    await bob.disconnect();
    expect((await next(alice, 'view')).changedMembers).toEqual([BOB]);
  });
});

describe('causes', () => {
  it('CAUSED_BY_JOIN: reason of a view after a join', async () => {
    const { view } = await bobJoins();
    expect([view.reason, view.cause]).toEqual([CAUSED_BY_JOIN, 'JOIN']);
  });

  it('CAUSED_BY_LEAVE: reason of a view after a leave, and of the self-leave', async () => {
    const { alice, bob } = await bobJoins();
    await bob.leave('room');
    const view = await next(alice, 'view');
    expect([view.reason, view.cause]).toEqual([CAUSED_BY_LEAVE, 'LEAVE']);
    expect((await next(bob, 'selfLeave')).reason).toBe(CAUSED_BY_LEAVE);
  });

  it('CAUSED_BY_DISCONNECT: reason of a view after a disconnect', async () => {
    const { alice, bob } = await bobJoins();
    await bob.disconnect();
    const view = await next(alice, 'view');
    expect([view.reason, view.cause]).toEqual([CAUSED_BY_DISCONNECT, 'DISCONNECT']);
  });
});

describe('membership of the Python wrapper', () => {
  it('MailboxType.join: returns no view unless asked to wait', async () => {
    const { bob } = await aliceInRoom();
    expect(await bob.join('room')).toBeUndefined();
    expect((await next(bob, 'view')).members).toEqual([ALICE, BOB]);
  });

  it('MailboxType.leave: returns nothing unless asked to wait', async () => {
    const { alice } = await aliceInRoom();
    expect(await alice.leave('room')).toBeUndefined();
    expect((await next(alice, 'selfLeave')).group).toBe('room');
  });

  it('MembershipMsgType: one class for views, transitional signals and self-leaves', async () => {
    const { alice, view } = await bobJoins();
    await alice.leave('room');
    expect([view, await next(alice, 'selfLeave')].every((event) => event instanceof MembershipMessage)).toBe(
      true,
    );
  });

  it('MembershipMsgType.reason: one of the CAUSED_BY constants', async () => {
    const { alice, bob, view } = await bobJoins();
    await bob.leave('room');
    expect([view.reason, (await next(alice, 'view')).reason]).toEqual([CAUSED_BY_JOIN, CAUSED_BY_LEAVE]);
  });

  it('MembershipMsgType.group: the group of the membership change', async () => {
    const { alice } = await aliceInRoom();
    await alice.join('hall');
    expect((await next(alice, 'view')).group).toBe('hall');
  });

  it('MembershipMsgType.group_id: can be compared, printed and used as a key', async () => {
    const { view, seenByBob } = await bobJoins();
    expect(view.groupId.equals(seenByBob.groupId)).toBe(true);
    expect(new Set([String(view.groupId), String(seenByBob.groupId)]).size).toBe(1);
  });

  it('MembershipMsgType.members: all members, in the same order for each member', async () => {
    const { view, seenByBob } = await bobJoins();
    expect(view.members).toEqual([ALICE, BOB]);
    expect(seenByBob.members).toEqual(view.members);
    expect([view.ownIndex, seenByBob.ownIndex]).toEqual([0, 1]);
  });

  it('MembershipMsgType.extra: the members that joined or left', async () => {
    const { alice, bob, view } = await bobJoins();
    await bob.leave('room');
    expect([view.changedMembers, (await next(alice, 'view')).changedMembers]).toEqual([[BOB], [BOB]]);
  });
});
