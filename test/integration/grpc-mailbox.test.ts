import { status } from '@grpc/grpc-js';
import {
  Acknowledgement,
  MailboxState,
  MembershipCause,
  NameConflictPolicy,
  OverflowPolicy,
  ServiceType,
} from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { call, message, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

describe('Connect', () => {
  it('opens a mailbox and returns its settings', async () => {
    const { client, daemonAddress } = await startSidecar();
    const answer = await call(client, 'connect', { privateName: 'alice' });
    expect(answer.mailboxId).toMatch(/^[0-9a-f]{32}$/);
    expect(answer).toMatchObject({
      privateGroup: '#alice#localhost',
      daemonVersion: { major: 5, minor: 0, patch: 1 },
      daemon: daemonAddress,
      acknowledgement: Acknowledgement.AUTO,
      limits: {
        lease: { seconds: 30n, nanos: 0 },
        queue: {
          maxEvents: 1_000_000n,
          maxBytes: 67_108_864n,
          replayBytes: 4_194_304n,
          overflow: OverflowPolicy.PAUSE,
        },
        maxGroupsPerMessage: 43,
        maxMessageBytes: 143_151,
        maxGroups: 1000,
        maxSendQueueBytes: 4_194_304n,
      },
    });
  });

  it('accepts all options of a client', async () => {
    const { client } = await startSidecar();
    const { limits, acknowledgement } = await call(client, 'connect', {
      lease: { seconds: 2n, nanos: 500_000_000 },
      acknowledgement: Acknowledgement.EXPLICIT,
      queue: { maxEvents: 5n, maxBytes: 6n, replayBytes: 7n, overflow: OverflowPolicy.DISCONNECT },
    });
    expect(limits).toMatchObject({
      lease: { seconds: 2n, nanos: 500_000_000 },
      queue: { maxEvents: 5n, maxBytes: 6n, replayBytes: 7n, overflow: OverflowPolicy.DISCONNECT },
    });
    expect(acknowledgement).toBe(Acknowledgement.EXPLICIT);
  });

  it('fails when the name is in use, or tries variants', async () => {
    const { client } = await startSidecar();
    const onNameConflict = NameConflictPolicy.SUFFIX;
    await call(client, 'connect', { privateName: 'alice' });
    expect(await failureOf(call(client, 'connect', { privateName: 'alice' }))).toMatchObject({
      code: status.ALREADY_EXISTS,
      info: { reason: 'REJECT_NOT_UNIQUE', domain: 'spread.org', metadata: { spread_code: '-6' } },
    });
    const second = await call(client, 'connect', { privateName: 'alice', onNameConflict });
    expect(second.privateGroup).toBe('#alice2#localhost');
  });

  it('connects to allowed daemons only', async () => {
    const other = await startSidecar();
    const { client, daemonAddress } = await startSidecar({ allow: [other.daemonAddress] });
    expect((await call(client, 'connect', { daemon: other.daemonAddress })).daemon).toBe(other.daemonAddress);
    expect((await call(client, 'connect', { daemon: daemonAddress })).daemon).toBe(daemonAddress);
    expect(await failureOf(call(client, 'connect', { daemon: '4803@192.0.2.1' }))).toMatchObject({
      code: status.PERMISSION_DENIED,
      info: { reason: 'DAEMON_NOT_ALLOWED' },
    });
  });

  it('tries the next daemon of the list, and advises to retry when none is reachable', async () => {
    const stopped = await startSidecar();
    await stopped.stop();
    const alive = await startSidecar();
    const { client } = await startSidecar({ daemons: [stopped.daemonAddress, alive.daemonAddress] });
    expect((await call(client, 'connect', {})).daemon).toBe(alive.daemonAddress);
    const alone = await startSidecar({ daemons: [stopped.daemonAddress] });
    expect(await failureOf(call(alone.client, 'connect', {}))).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'COULD_NOT_CONNECT', domain: 'spread.org' },
      retryDelayMs: 1000,
    });
  });

  it('is rejected while the sidecar drains', async () => {
    const { client, registry } = await startSidecar();
    await registry.drain({ graceMs: 0 });
    expect(await failureOf(call(client, 'connect', {}))).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'DRAINING' },
      retryDelayMs: 1000,
    });
  });
});

describe('Join and Leave', () => {
  it('respond with the view and the self-leave if requested', async () => {
    const { client } = await startSidecar();
    const [alice, bob] = [
      await TestMailbox.open(client, { privateName: 'alice' }),
      await TestMailbox.open(client),
    ];
    await bob.call('join', { group: 'chat', awaitView: true });
    const { view } = await alice.call('join', { group: 'chat', awaitView: true });
    expect(view).toMatchObject({
      group: 'chat',
      cause: MembershipCause.JOIN,
      changedMembers: ['#alice#localhost'],
      members: expect.arrayContaining([alice.privateGroup, bob.privateGroup]),
      virtualSynchronySets: [{ members: ['#alice#localhost'], mine: true }],
    });
    expect(view?.members[view.ownIndex]).toBe('#alice#localhost');
    const current = await alice.call('getView', { group: 'chat' });
    expect(current).toEqual({ view, inTransition: false });
    const { selfLeave } = await alice.call('leave', { group: 'chat', awaitView: true });
    expect(selfLeave).toEqual({ group: 'chat' });
    expect(await alice.call('leave', { group: 'chat', awaitView: true })).toEqual({ selfLeave: undefined });
  });

  it('respond immediately otherwise', async () => {
    const { client } = await startSidecar();
    const alice = await TestMailbox.open(client);
    expect(await alice.call('join', { group: 'chat' })).toEqual({ view: undefined });
    await until(async () => (await alice.call('getMailbox')).mailbox?.groups.includes('chat'));
    expect(await alice.call('leave', { group: 'chat' })).toEqual({ selfLeave: undefined });
  });

  it('require membership to wait', async () => {
    const { client } = await startSidecar();
    const alice = await TestMailbox.open(client, { membership: false });
    for (const failure of [
      await failureOf(alice.call('join', { group: 'chat', awaitView: true })),
      await failureOf(alice.call('leave', { group: 'chat', awaitView: true })),
      await failureOf(alice.call('getView', { group: 'chat' })),
    ]) {
      expect(failure).toMatchObject({ code: status.FAILED_PRECONDITION, info: { reason: 'MEMBERSHIP_OFF' } });
    }
  });
});

describe('Multicast', () => {
  it.each(['UNRELIABLE', 'RELIABLE', 'FIFO', 'CAUSAL', 'AGREED', 'SAFE'] as const)(
    'transfers %s with all fields of a message',
    async (name) => {
      const { client } = await startSidecar();
      const [alice, bob] = [await TestMailbox.open(client), await TestMailbox.open(client)];
      await bob.call('join', { group: 'chat', awaitView: true });
      const payload = Buffer.from([0, 1, 2, 0xff]);
      const rest = { serviceType: ServiceType[name], messageType: -32768, selfDiscard: true };
      expect(await alice.send(['chat', bob.privateGroup, 'empty'], payload, rest)).toEqual({ bytesSent: 4 });
      const [, event] = await bob.receive().first(2);
      expect(event).toMatchObject({ sequence: 2n, receivedAt: { seconds: expect.any(BigInt) } });
      expect(event?.kind).toMatchObject({
        $case: 'regularMessage',
        value: {
          sender: alice.privateGroup,
          groups: ['chat', bob.privateGroup, 'empty'],
          serviceType: ServiceType[name],
          messageType: -32768,
          payload,
          endianMismatch: false,
          selfDiscard: true,
        },
      });
    },
  );

  it('keeps the order of unary calls and a stream together', async () => {
    const { client } = await startSidecar();
    const [alice, bob] = [await TestMailbox.open(client), await TestMailbox.open(client)];
    await bob.call('join', { group: 'chat', awaitView: true });
    const stream = alice.stream();
    await stream.decided(0);
    const expected: string[] = [];
    for (let round = 0; round < 20; round++) {
      const sent: Promise<unknown>[] = [];
      for (let i = 0; i < 10; i++) {
        expected.push(`unary ${round}.${i}`);
        sent.push(alice.send('chat', expected.at(-1)!));
      }
      await Promise.all(sent);
      const batch = Array.from({ length: 10 }, (_, i) => `stream ${round}.${i}`);
      expected.push(...batch);
      stream.batch(...batch.map((text) => message('chat', text)));
      await stream.decided((round + 1) * 10);
    }
    const receiving = bob.receive();
    await receiving.first(expected.length + 1);
    expect(receiving.texts).toEqual(expected);
    expect(receiving.sequences).toEqual(Array.from({ length: expected.length + 1 }, (_, i) => i + 1));
    await stream.finish();
  });
});

describe('Disconnect', () => {
  it('ends a mailbox once', async () => {
    const { client } = await startSidecar();
    const alice = await TestMailbox.open(client);
    expect(await alice.call('disconnect')).toEqual({ wasOpen: true });
    expect(await alice.call('disconnect')).toEqual({ wasOpen: false });
    expect(await failureOf(alice.call('poll'))).toMatchObject({
      code: status.NOT_FOUND,
      info: { reason: 'ILLEGAL_SESSION', domain: 'spread.org', metadata: { spread_code: '-11' } },
    });
  });

  it.each([
    [{}, MembershipCause.DISCONNECT],
    [{ leaveGroupsFirst: true }, MembershipCause.LEAVE],
    [{ abort: true }, MembershipCause.DISCONNECT],
  ])('with %o shows others the cause', async (how, cause) => {
    const { client } = await startSidecar();
    const [alice, bob] = [await TestMailbox.open(client), await TestMailbox.open(client)];
    await bob.call('join', { group: 'chat', awaitView: true });
    await alice.call('join', { group: 'chat', awaitView: true });
    await alice.call('disconnect', how);
    const receiving = bob.receive();
    const [, , event] = await receiving.first(3);
    expect(event?.kind).toMatchObject({
      $case: 'membershipView',
      value: { cause, members: [bob.privateGroup] },
    });
  });
});

describe('Poll and GetMailbox', () => {
  it('count without receiving', async () => {
    const { client } = await startSidecar();
    const alice = await TestMailbox.open(client, { privateName: 'alice' });
    await alice.call('join', { group: 'chat', awaitView: true });
    await alice.send('chat', 'x');
    await until(async () => (await alice.call('poll')).waitingEvents === 2n);
    const { mailbox } = await alice.call('getMailbox');
    expect(mailbox).toMatchObject({
      privateGroup: '#alice#localhost',
      state: MailboxState.OPEN,
      daemonVersion: { major: 5, minor: 0, patch: 1 },
      membership: true,
      acknowledgement: Acknowledgement.AUTO,
      groups: ['chat'],
      receiverAttached: false,
      lastSequence: 2n,
      deliveredSequence: 0n,
      waitingEvents: 2n,
      messagesSent: 1n,
      payloadBytesSent: 1n,
      paused: false,
    });
    expect(mailbox?.displayId).toBeTruthy();
    expect(mailbox?.displayId).not.toContain(alice.id);
    expect(mailbox?.leaseEndsAt).toBeDefined();
    const receiving = alice.receive();
    await receiving.first(2);
    const during = (await alice.call('getMailbox')).mailbox;
    expect(during).toMatchObject({ receiverAttached: true, deliveredSequence: 2n, waitingEvents: 0n });
    expect(during?.leaseEndsAt).toBeUndefined();
  });
});

describe('ListMailboxes', () => {
  it('is for operators', async () => {
    const { client } = await startSidecar({ adminTokens: ['s3cret'] });
    const none = await startSidecar();
    const wrong = { metadata: { authorization: 'Bearer wrong' } };
    for (const failure of [
      await failureOf(call(client, 'listMailboxes', {})),
      await failureOf(call(client, 'listMailboxes', {}, wrong)),
      await failureOf(call(none.client, 'listMailboxes', {}, { metadata: { authorization: 'Bearer ' } })),
    ]) {
      expect(failure).toMatchObject({ code: status.PERMISSION_DENIED, info: { reason: 'ADMIN_ONLY' } });
    }
  });

  it('lists mailboxes page by page, without their IDs', async () => {
    const { client } = await startSidecar({ adminTokens: ['s3cret'] });
    const admin = { metadata: { authorization: 'Bearer s3cret' } };
    const opened: TestMailbox[] = [];
    for (let i = 0; i < 5; i++) opened.push(await TestMailbox.open(client));
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await call(client, 'listMailboxes', { pageSize: 2, pageToken }, admin);
      expect(page.mailboxes.length).toBeLessThanOrEqual(2);
      expect(JSON.stringify(page, (_, v) => (typeof v === 'bigint' ? String(v) : v))).not.toContain(
        opened[0]!.id,
      );
      seen.push(...page.mailboxes.map(({ privateGroup }) => privateGroup));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual(opened.map(({ privateGroup }) => privateGroup));
  });
});

describe('GetVersion', () => {
  it('returns all versions', async () => {
    const { client, daemonAddress } = await startSidecar();
    expect(await call(client, 'getVersion', {})).toEqual({
      sidecar: '0.0.0-test',
      contract: 'spread.sidecar.v1',
      clientProtocol: { major: 5, minor: 0, patch: 1 },
      daemon: { major: 5, minor: 0, patch: 1 },
      daemonAddress,
      embeddedDaemon: true,
    });
  });
});
