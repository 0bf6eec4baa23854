import { connect, version } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { next, refused, scriptedWorld, world } from '../support/clients/spread-api.js';
import { acceptScript, connectRequestBytes } from '../support/daemons/scripted-daemon.js';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { call } from '../support/sidecars/sidecar-calls.js';
import { until } from '../support/until.js';

/** Bytes that a client named `a` sends until the daemon accepts it. */
const HANDSHAKE = 6 + 90;

describe('sessions of the C API', () => {
  it('SP_connect: name, priority and membership go to the daemon, and the private group comes back', async () => {
    const { running, spread } = await world();
    const mailbox = await spread.connect({
      spreadName: running.daemonAddress,
      privateName: 'alice',
      priority: 1,
      membership: false,
    });
    expect(mailbox.privateGroup).toBe('#alice#localhost');
    expect(mailbox.daemon).toBe(running.daemonAddress);
    expect(mailbox.daemonVersion).toEqual([5, 0, 1]);
    expect((await mailbox.info()).membership).toBe(false);
    expect((await spread.connect()).privateGroup).toMatch(/^#r\d+-\d+#localhost$/);
  });

  it('SP_connect_timeout: the deadline ends the attempt, and the daemon sees it end', async () => {
    const { daemon, spread } = await scriptedWorld([
      [{ expect: connectRequestBytes('a') }, { awaitEnd: true }],
    ]);
    const error = await refused(spread.connect({ privateName: 'a', timeoutMs: 200 }));
    expect(error.statusName).toBe('DEADLINE_EXCEEDED');
    await daemon.finished;
    const impatient = await scriptedWorld([[{ awaitEnd: true }]], { connectTimeoutMs: 50 });
    expect((await refused(impatient.spread.connect())).code).toBe('COULD_NOT_CONNECT');
  });

  it('SP_disconnect: other members see DISCONNECT, and queued events can still be received', async () => {
    const { spread } = await world();
    const [alice, bob] = [
      await spread.connect({ privateName: 'alice', autoReceive: true }),
      await spread.connect(),
    ];
    await bob.join('room', { awaitView: true });
    await alice.join('room', { awaitView: true });
    expect(await alice.disconnect()).toBe(true);
    expect((await alice.receive()).kind).toBe('view');
    expect((await refused(alice.receive())).code).toBe('ILLEGAL_SESSION');
    await next(bob, 'view');
    await next(bob, 'view');
    expect(await next(bob, 'view')).toMatchObject({
      cause: 'DISCONNECT',
      changedMembers: ['#alice#localhost'],
    });
  });

  it('SP_kill: the socket closes without a disconnect message', async () => {
    const { daemon, spread } = await scriptedWorld([
      [...acceptScript('a'), { awaitEnd: true }],
      [...acceptScript('a'), { awaitEnd: true }],
    ]);
    await (await spread.connect({ privateName: 'a' })).disconnect({ abort: true });
    await until(() => daemon.sockets[0]?.readableEnded || daemon.sockets[0]?.destroyed);
    expect(daemon.received(0)).toHaveLength(HANDSHAKE);
    await (await spread.connect({ privateName: 'a' })).disconnect();
    await daemon.finished;
    expect(daemon.received(1).length).toBeGreaterThan(HANDSHAKE);
  });

  it('SP_version: the protocol version that the sidecar speaks', async () => {
    const { running, spread } = await world();
    expect((await spread.version()).clientProtocol).toEqual([5, 0, 1]);
    expect((await call(running.client, 'getVersion', {})).clientProtocol).toEqual({
      major: 5,
      minor: 0,
      patch: 1,
    });
  });

  it('SP_set_auth_method: NULL is chosen by name, or by default', async () => {
    const { running } = await world();
    const auth = { method: { $case: 'nullMethod' as const, value: {} } };
    for (const request of [{ auth }, { auth: {} }, {}])
      expect((await call(running.client, 'connect', request)).mailboxId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('SP_set_auth_methods: a daemon with another method rejects, and the error lists the offered methods', async () => {
    const { running } = await scriptedWorld([
      [{ expect: connectRequestBytes('a') }, { send: Buffer.from('\x09PWORD IP ', 'latin1') }],
    ]);
    const failure = await failureOf(call(running.client, 'connect', { privateName: 'a' }));
    expect(failure.info).toMatchObject({
      reason: 'REJECT_AUTH',
      metadata: { field: 'auth', bound: 'PWORD, IP' },
    });
  });

  it('SP_poll: counts queued events, and distinguishes an empty mailbox from one without a daemon', async () => {
    let endDaemon = () => {};
    const { spread } = await scriptedWorld([
      [...acceptScript('a'), { wait: new Promise<void>((resolve) => (endDaemon = resolve)) }, { end: true }],
    ]);
    const mailbox = await spread.connect({ privateName: 'a' });
    expect(await mailbox.poll()).toEqual({
      bufferedEvents: 0,
      waitingEvents: 0,
      waitingBytes: 0,
      state: 'OPEN',
    });
    endDaemon();
    expect(await until(async () => (await mailbox.poll()).state !== 'OPEN' && mailbox.poll())).toMatchObject({
      waitingEvents: 0,
      state: 'ENDED',
    });
  });

  it('mailbox: an unguessable ID, usable by any process that has it', async () => {
    const { running, spread } = await world();
    const first = await spread.connect();
    const second = await spread.connect();
    expect(first.id).toMatch(/^[0-9a-f]{32}$/);
    expect(second.id).not.toBe(first.id);
    await call(running.client, 'join', { mailboxId: first.id, group: 'room' });
    expect((await first.info()).groups).toEqual(['room']);
    expect((await second.info()).groups).toEqual([]);
  });
});

describe('sessions of the Python wrapper', () => {
  it('connect: every argument is optional', async () => {
    const { running } = await world();
    const target = running.target;
    await using plain = await connect({ target });
    await using full = await connect({
      target,
      spreadName: running.daemonAddress,
      privateName: 'alice',
      priority: 0,
      membership: true,
    });
    expect(plain.privateGroup).toMatch(/^#r\d+-\d+#localhost$/);
    expect(full.privateGroup).toBe('#alice#localhost');
  });

  it('version: a triple of numbers', async () => {
    const { running } = await world();
    expect(await version({ target: running.target })).toEqual([5, 0, 1]);
  });

  it('MailboxType: mailboxes are independent', async () => {
    const { spread } = await world();
    const [alice, bob] = [await spread.connect(), await spread.connect()];
    await alice.disconnect();
    expect(await bob.multicast(1, bob.privateGroup, 'still here')).toBe(10);
    expect((await next(bob, 'regular')).text()).toBe('still here');
  });

  it('MailboxType.private_group: messages to it reach only this mailbox', async () => {
    const { spread } = await world();
    const [alice, bob] = [await spread.connect({ privateName: 'alice' }), await spread.connect()];
    expect(alice.privateGroup).toBe('#alice#localhost');
    await bob.multicast(1, alice.privateGroup, 'psst');
    expect((await next(alice, 'regular')).text()).toBe('psst');
    expect((await bob.poll()).waitingEvents).toBe(0);
  });

  it('MailboxType.disconnect: a disconnected mailbox does not exist any more', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    expect(await mailbox.disconnect()).toBe(true);
    expect((await refused(mailbox.join('room'))).code).toBe('ILLEGAL_SESSION');
  });

  it('MailboxType.fileno: events are pushed, and a wait can have a timeout', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    expect((await refused(mailbox.receive({ timeoutMs: 30 }))).statusName).toBe('DEADLINE_EXCEEDED');
    const waiting = mailbox.receive();
    await mailbox.multicast(1, mailbox.privateGroup, 'pushed');
    expect(await waiting).toMatchObject({ kind: 'regular', payload: Buffer.from('pushed') });
  });

  it('MailboxType.poll: returns more than yes and no', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    await mailbox.multicast(1, mailbox.privateGroup, 'one');
    await mailbox.multicast(1, mailbox.privateGroup, 'two');
    const full = await until(async () => {
      const polled = await mailbox.poll();
      return polled.waitingEvents === 2 && polled;
    });
    expect(full.waitingBytes).toBeGreaterThan(6);
    expect(full.state).toBe('OPEN');
    await next(mailbox, 'regular');
    const { bufferedEvents, waitingEvents } = await mailbox.poll();
    expect([bufferedEvents, waitingEvents]).toEqual([1, 0]);
  });
});
