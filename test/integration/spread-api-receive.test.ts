import { AGREED_MESS, DEFAULT_BUFFER_SIZE, DEFAULT_GROUPS_SIZE } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { next, recordedMailbox, world } from '../support/clients/spread-api.js';
import { TestMailbox } from '../support/sidecars/sidecar-calls.js';

async function aliceInRoom() {
  const { running, spread } = await world();
  const alice = await spread.connect({ privateName: 'alice' });
  await alice.join('room', { awaitView: true });
  return { running, spread, alice };
}

describe('receive of the C API', () => {
  it('SP_receive: messages and views arrive in one order, each complete', async () => {
    const { client } = (await world()).running;
    const alice = await TestMailbox.open(client, { privateName: 'alice' });
    await alice.call('join', { group: 'room', awaitView: true });
    await alice.send(['room', 'hall'], 'hello', { messageType: 5, selfDiscard: false });
    const [view, regular] = await alice.receive().first(2);
    expect(view).toMatchObject({ sequence: 1n, kind: { $case: 'membershipView', value: { group: 'room' } } });
    expect(regular).toMatchObject({
      sequence: 2n,
      kind: {
        $case: 'regularMessage',
        value: {
          sender: '#alice#localhost',
          groups: ['room', 'hall'],
          messageType: 5,
          endianMismatch: false,
          payload: Buffer.from('hello'),
          spreadType: AGREED_MESS,
        },
      },
    });
  });

  it('SP_scat_receive: a payload arrives in one piece, however long', async () => {
    const { alice } = await aliceInRoom();
    const payload = Buffer.alloc(100_000, 'piece');
    await alice.multicast(AGREED_MESS, 'room', payload);
    expect((await next(alice, 'regular')).payload.equals(payload)).toBe(true);
  });

  it('DROP_RECV: no message is truncated to fit a buffer', async () => {
    const { alice } = await aliceInRoom();
    const payload = Buffer.alloc(DEFAULT_BUFFER_SIZE, 'all of it');
    expect(await alice.multicast(AGREED_MESS, 'room', payload)).toBe(DEFAULT_BUFFER_SIZE);
    expect((await next(alice, 'regular')).payload.equals(payload)).toBe(true);
  });
});

describe('receive of the Python wrapper', () => {
  it('MailboxType.receive: waits for the next event', async () => {
    const { alice } = await aliceInRoom();
    expect(await alice.receive()).toMatchObject({ kind: 'view', sequence: 1n });
    const waiting = alice.receive();
    await alice.multicast(AGREED_MESS, 'room', 'now');
    expect(await waiting).toMatchObject({ kind: 'regular', sequence: 2n });
  });

  it('RegularMsgType: distinguishable by kind, and by class', async () => {
    const { alice } = await aliceInRoom();
    await alice.multicast(AGREED_MESS, 'room', '');
    const { RegularMessage, MembershipMessage } = await import('spread-sidecar-client');
    const [view, message] = [await alice.receive(), await alice.receive()];
    expect([view instanceof MembershipMessage, view instanceof RegularMessage]).toEqual([true, false]);
    expect([message instanceof MembershipMessage, message instanceof RegularMessage]).toEqual([false, true]);
  });

  it('RegularMsgType.sender: the private group of the sender', async () => {
    const { spread, alice } = await aliceInRoom();
    const bob = await spread.connect({ privateName: 'bob' });
    await bob.multicast(AGREED_MESS, 'room', 'hi');
    expect((await next(alice, 'regular')).sender).toBe(bob.privateGroup);
  });

  it('RegularMsgType.groups: every destination, also groups without the receiver', async () => {
    const { alice } = await aliceInRoom();
    await alice.multigroupMulticast(AGREED_MESS, ['hall', 'room'], 'hi');
    expect((await next(alice, 'regular')).groups).toEqual(['hall', 'room']);
  });

  it('RegularMsgType.message: the bytes of the sender, also none', async () => {
    const { alice } = await aliceInRoom();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await alice.multicast(AGREED_MESS, 'room', bytes);
    await alice.multicast(AGREED_MESS, 'room', '');
    expect((await next(alice, 'regular')).payload).toEqual(bytes);
    expect((await next(alice, 'regular')).payload).toHaveLength(0);
  });

  it('RegularMsgType.msg_type: a signed 16-bit number', async () => {
    const { alice } = await aliceInRoom();
    const types = [0, 1, 255, 256, 32_767, -1, -2, -32_768];
    for (const type of types) await alice.multicast(AGREED_MESS, 'room', '', type);
    for (const type of types) expect((await next(alice, 'regular')).messageType).toBe(type);
  });

  it('RegularMsgType.endian: set for a sender with the other byte order, whose payload stays unchanged', async () => {
    const mailbox = await recordedMailbox('55', 'b');
    const messages = [];
    for (let i = 0; i < 3; i++) messages.push(await next(mailbox, 'regular'));
    expect(
      messages.map(({ sender, endianMismatch, messageType }) => [sender, endianMismatch, messageType]),
    ).toEqual([
      ['#a#localhost', true, 5],
      ['#a#localhost', true, -2],
      ['#b#localhost', false, 5],
    ]);
  });

  it('Flip_int16: the application reads numbers of a payload in its own byte order', async () => {
    const { alice } = await aliceInRoom();
    await alice.multicast(AGREED_MESS, 'room', Buffer.from([1, 2]));
    const { payload } = await next(alice, 'regular');
    expect([payload.readInt16LE(), payload.readInt16BE()]).toEqual([0x0201, 0x0102]);
  });

  it('Flip_int32: the application reads numbers of a payload in its own byte order', async () => {
    const { alice } = await aliceInRoom();
    await alice.multicast(AGREED_MESS, 'room', Buffer.from([1, 2, 3, 4]));
    const { payload } = await next(alice, 'regular');
    expect([payload.readInt32LE(), payload.readInt32BE()]).toEqual([0x04030201, 0x01020304]);
  });

  it('DEFAULT_BUFFER_SIZE: the longest payload to one group arrives complete', async () => {
    const { alice } = await aliceInRoom();
    await alice.multicast(AGREED_MESS, 'room', Buffer.alloc(DEFAULT_BUFFER_SIZE));
    expect((await next(alice, 'regular')).payload).toHaveLength(143_119);
  });

  it('DEFAULT_GROUPS_SIZE: the largest number of groups of Spread arrives, if the sidecar is configured to send it', async () => {
    const { spread } = await world({ mailbox: { maxGroupsPerMessage: 100 } });
    const alice = await spread.connect();
    const groups = Array.from({ length: DEFAULT_GROUPS_SIZE }, (_, i) => `group-${i}`);
    await alice.join('group-99', { awaitView: true });
    await alice.multigroupMulticast(AGREED_MESS, groups, 'to many');
    expect((await next(alice, 'regular')).groups).toEqual(groups);
  });
});
