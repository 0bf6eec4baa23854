import {
  AGREED_MESS,
  CAUSAL_MESS,
  CAUSED_BY_DISCONNECT,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  FIFO_MESS,
  type Mailbox,
  RELIABLE_MESS,
  type RegularMessage,
  SAFE_MESS,
  SELF_DISCARD,
  UNRELIABLE_MESS,
  type ViewMessage,
} from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { sidecarAt } from '../support/clients/client.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

/** The next event, which must be a message. */
async function message(mailbox: Mailbox): Promise<RegularMessage> {
  const event = await mailbox.receive({ timeoutMs: 5000 });
  if (event.kind !== 'regular') throw new Error(`a message was due, not ${event.kind}`);
  return event;
}

/** The next event, which must be a view. */
async function view(mailbox: Mailbox): Promise<ViewMessage> {
  const event = await mailbox.receive({ timeoutMs: 5000 });
  if (event.kind !== 'view') throw new Error(`a view was due, not ${event.kind}`);
  return event;
}

/** Two mailboxes in the group `g` that have received the views of their joins. */
async function aliceAndBob() {
  const sidecar = await startSidecar();
  const channel = sidecarAt(sidecar.target);
  const alice = await channel.connect({ privateName: 'alice' });
  const bob = await channel.connect({ privateName: 'bob' });
  await alice.join('g', { awaitView: true });
  await bob.join('g', { awaitView: true });
  await view(alice);
  await view(alice);
  await view(bob);
  return { sidecar, channel, alice, bob };
}

describe('a mailbox', () => {
  it('is connected with the requested options', async () => {
    const sidecar = await startSidecar();
    const channel = sidecarAt(sidecar.target);
    const mailbox = await channel.connect({ privateName: 'alice', leaseMs: 5000, queue: { maxEvents: 77 } });
    expect(mailbox).toMatchObject({
      privateGroup: '#alice#localhost',
      daemon: sidecar.daemonAddress,
      daemonVersion: [5, 0, 1],
      acknowledgement: 'AUTO',
      limits: {
        leaseMs: 5000,
        queue: { maxEvents: 77, overflow: 'PAUSE' },
        maxGroupsPerMessage: 43,
        maxMessageBytes: 143_151,
      },
    });
    expect(mailbox.id).toMatch(/^[0-9a-f]{32}$/);
    const again = channel.connect({ privateName: 'alice' });
    await expect(again).rejects.toMatchObject({
      code: 'REJECT_NOT_UNIQUE',
      number: -6,
      statusName: 'ALREADY_EXISTS',
    });
    const other = await channel.connect({ privateName: 'alice', onNameConflict: 'SUFFIX' });
    expect(other.privateGroup).toBe('#alice2#localhost');
    const invented = await channel.connect();
    expect(invented.privateGroup).toMatch(/^#.+#localhost$/);
    expect(await channel.version()).toMatchObject({
      contract: 'spread.sidecar.v1',
      clientProtocol: [5, 0, 1],
    });
  });

  it('sees members join, leave and disconnect, with the same group IDs at all members', async () => {
    const { alice, bob, channel } = await aliceAndBob();
    const carol = await channel.connect({ privateName: 'carol' });
    const joined = await carol.join('g', { awaitView: true });
    const [atAlice, atBob, atCarol] = [await view(alice), await view(bob), await view(carol)];
    for (const seen of [atAlice, atBob, atCarol]) {
      expect(seen).toMatchObject({
        group: 'g',
        cause: 'JOIN',
        reason: CAUSED_BY_JOIN,
        members: ['#alice#localhost', '#bob#localhost', '#carol#localhost'],
        changedMembers: ['#carol#localhost'],
        sets: [{ members: ['#carol#localhost'], mine: true }],
      });
      expect(seen.groupId.equals(joined?.groupId)).toBe(true);
    }
    expect([atAlice.ownIndex, atBob.ownIndex, atCarol.ownIndex]).toEqual([0, 1, 2]);
    expect((await bob.view('g')).view.groupId.equals(atBob.groupId)).toBe(true);

    expect(await carol.leave('g', { awaitView: true })).toMatchObject({ kind: 'selfLeave', group: 'g' });
    expect(await carol.receive({ timeoutMs: 5000 })).toMatchObject({
      kind: 'selfLeave',
      reason: CAUSED_BY_LEAVE,
    });
    expect(await view(alice)).toMatchObject({
      reason: CAUSED_BY_LEAVE,
      changedMembers: ['#carol#localhost'],
    });
    expect(await carol.leave('g', { awaitView: true })).toBeUndefined();

    await view(bob);
    expect(await bob.disconnect()).toBe(true);
    expect(await view(alice)).toMatchObject({ reason: CAUSED_BY_DISCONNECT, members: ['#alice#localhost'] });
    await expect(alice.view('nowhere')).rejects.toMatchObject({ reason: 'NO_VIEW' });
  });

  it('leaves its groups before it disconnects, if requested', async () => {
    const { alice, bob } = await aliceAndBob();
    await bob.disconnect({ leaveGroupsFirst: true });
    expect(await view(alice)).toMatchObject({ reason: CAUSED_BY_LEAVE, changedMembers: ['#bob#localhost'] });
  });

  it.each([
    ['UNRELIABLE', UNRELIABLE_MESS],
    ['RELIABLE', RELIABLE_MESS],
    ['FIFO', FIFO_MESS],
    ['CAUSAL', CAUSAL_MESS],
    ['AGREED', AGREED_MESS],
    ['SAFE', SAFE_MESS],
  ])('sends and receives %s messages', async (name, bits) => {
    const { alice, bob } = await aliceAndBob();
    expect(await alice.multicast(bits, 'g', 'grüß', -32_768)).toBe(6);
    for (const mailbox of [alice, bob])
      expect(await message(mailbox)).toMatchObject({
        sender: '#alice#localhost',
        groups: ['g'],
        serviceType: bits,
        serviceTypeName: name,
        messageType: -32_768,
        payload: Buffer.from('grüß'),
        endianMismatch: false,
        selfDiscard: false,
        spreadType: bits,
      });
  });

  it('sends to private groups, once to several groups, and not to itself with self-discard', async () => {
    const { alice, bob } = await aliceAndBob();
    await bob.join('h', { awaitView: true });
    await view(bob);
    await alice.multigroupMulticast(AGREED_MESS | SELF_DISCARD, ['g', 'h', '#bob#localhost'], 'once', 32_767);
    await alice.multicast(SAFE_MESS, bob.privateGroup, '');
    await alice.multicast(SAFE_MESS, 'g', 'to all');
    const groups = ['g', 'h', '#bob#localhost'];
    expect(await message(bob)).toMatchObject({ groups, selfDiscard: true, messageType: 32_767 });
    expect(await message(bob)).toMatchObject({ groups: ['#bob#localhost'], payload: Buffer.alloc(0) });
    expect((await message(bob)).text()).toBe('to all');
    expect((await message(alice)).text()).toBe('to all');
  });

  it('sends the largest message, and rejects a larger one before sending', async () => {
    const { alice, bob } = await aliceAndBob();
    const largest = Buffer.alloc(143_119, 'x');
    expect(await alice.multicast(AGREED_MESS | SELF_DISCARD, 'g', largest)).toBe(143_119);
    expect((await message(bob)).payload.equals(largest)).toBe(true);
    await expect(alice.multicast(AGREED_MESS, 'g', Buffer.alloc(143_120))).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LONG',
      number: -17,
      outcome: 'not-sent',
      retryable: false,
    });
    await expect(alice.multicast(AGREED_MESS, 'g', '', 32_768)).rejects.toMatchObject({
      code: 'ILLEGAL_MESSAGE',
    });
    await expect(alice.multigroupMulticast(AGREED_MESS, [], '')).rejects.toMatchObject({
      code: 'ILLEGAL_GROUP',
    });
    await expect(alice.join('has blank')).rejects.toMatchObject({ code: 'ILLEGAL_GROUP', number: -14 });
  });

  it('polls without receiving', async () => {
    const { alice, channel } = await aliceAndBob();
    const quiet = await channel.connect();
    await quiet.join('quiet', { awaitView: true });
    for (const text of ['1', '2']) await alice.multicast(AGREED_MESS, 'quiet', text);
    await until(async () => (await quiet.poll()).waitingEvents === 3);
    expect(await quiet.poll()).toMatchObject({ bufferedEvents: 0, state: 'OPEN' });
    expect(await quiet.info()).toMatchObject({
      state: 'OPEN',
      groups: ['quiet'],
      lastSequence: 3n,
      membership: true,
      receiverAttached: false,
    });
    expect(await quiet.receive()).toMatchObject({ kind: 'view', sequence: 1n });
  });

  it('receives no membership messages if it disables them', async () => {
    const { channel, alice } = await aliceAndBob();
    const deaf = await channel.connect({ membership: false });
    await expect(deaf.join('g', { awaitView: true })).rejects.toMatchObject({ reason: 'MEMBERSHIP_OFF' });
    await deaf.join('g');
    await view(alice);
    await alice.multicast(AGREED_MESS, 'g', 'only this');
    expect((await message(deaf)).text()).toBe('only this');
  });
});
