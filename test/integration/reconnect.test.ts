import { join } from 'node:path';
import { AGREED_MESS, type Mailbox, type SpreadEvent } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import type { ReconnectOptions } from '../../server/src/mailbox/connection/reconnect-options.js';
import { Session } from '../../server/src/spread/session.js';
import { sidecarAt } from '../support/clients/client.js';
import { RestartableDaemon } from '../support/daemons/restartable-daemon.js';
import { attachReceiver, MailboxBench, outgoing } from '../support/mailboxes/mailbox-bench.js';
import { mailboxSettings } from '../support/mailboxes/mailbox-settings.js';
import { type SidecarFixtureOptions, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { until, within } from '../support/until.js';

/** The backoff of the default configuration. */
const DEFAULTS = {
  ...mailboxSettings().reconnect,
  backoff: { initialMs: 100, maxMs: 1_000 },
};

const reconnect = (policy: Partial<ReconnectOptions> = {}) => ({
  reconnect: { onNameLoss: 'END' as const, queueMulticasts: false, ...policy },
});

describe('a mailbox that reconnects, at the embedded daemon', () => {
  it.each(['tcp', 'unix'] as const)('is restored after a restart, over %s', async (transport) => {
    const path = transport === 'unix' ? join(temporaryFolder(), 'spread') : undefined;
    const daemon = await RestartableDaemon.start({ name: 'node1' }, path);
    const bench = new MailboxBench(daemon.address);
    const alice = await bench.connect('alice', reconnect());
    const bob = await bench.connect('bob', reconnect());
    const receiver = attachReceiver(alice);
    for (const group of ['two', 'one']) await alice.join(group, { awaitView: true });
    await daemon.restart();
    await until(() => alice.state === 'OPEN' && bob.state === 'OPEN');
    expect(alice.privateGroup).toBe('#alice#node1');
    await until(() => receiver.events.length === 6);
    expect(receiver.events.map(({ sequence, kind, what }) => [sequence, kind, what])).toEqual([
      [1, 'view', 'two'],
      [2, 'view', 'one'],
      [3, 'connectionLost', '#alice#node1 [two,one] -8'],
      [4, 'connectionRestored', `#alice#node1 > #alice#node1 [two,one] ${daemon.address}`],
      [5, 'view', 'two'],
      [6, 'view', 'one'],
    ]);
    await bob.multicast(outgoing('one', 'hello'));
    await bob.multicast(outgoing('#alice#node1', 'you'));
    await until(() => receiver.events.length === 8);
    expect(receiver.events.slice(6).map(({ what }) => what)).toEqual(['hello', 'you']);
  });

  it('is restored within two seconds after its daemon, with the default backoff', async () => {
    const daemon = await RestartableDaemon.start();
    const bench = new MailboxBench(daemon.address, { reconnect: DEFAULTS });
    const alice = await bench.connect('alice', reconnect());
    await alice.join('room');
    await daemon.stop();
    await until(() => alice.state === 'RECONNECTING');
    // Long enough to reach the largest backoff.
    const downAt = performance.now();
    await until(() => performance.now() - downAt > 2_500);
    await daemon.start();
    const upAt = performance.now();
    await within(alice.join('room', { awaitView: true }), 'the view');
    expect(performance.now() - upAt).toBeLessThan(2_000);
  });

  it('waits for its name while a stale session holds it', async () => {
    const daemon = await RestartableDaemon.start();
    const bench = new MailboxBench(daemon.address);
    const alice = await bench.connect('alice', reconnect());
    await daemon.stop();
    await until(() => alice.state === 'RECONNECTING');
    await daemon.start();
    const stale = await Session.connect({ address: daemon.address, privateName: 'alice' }).catch(
      () => undefined,
    );
    // In either order, the mailbox gets the name, at the latest when the other session releases it.
    if (stale !== undefined) {
      stale.start({ onMessage: () => {}, onClose: () => {} });
      expect(alice.state).toBe('RECONNECTING');
      await stale.disconnect();
    }
    await until(() => alice.state === 'OPEN');
    expect(alice.privateGroup).toBe('#alice#localhost');
  });

  it.each([
    ['END', 'ENDED', '#alice#localhost'],
    ['SUFFIX', 'OPEN', '#alice2#localhost'],
  ] as const)(
    'under a name that stays in use does what its client requested: %s',
    async (onNameLoss, state, name) => {
      const first = await RestartableDaemon.start();
      const second = await RestartableDaemon.start();
      const bench = new MailboxBench([first.address, second.address], {
        reconnect: { ...mailboxSettings().reconnect, nameWaitMs: 100 },
      });
      const alice = await bench.connect('alice', reconnect({ onNameLoss }));
      const holder = await Session.connect({ address: second.address, privateName: 'alice' });
      holder.start({ onMessage: () => {}, onClose: () => {} });
      await first.stop();
      await until(() => alice.lastSequence > 0 && alice.state === state);
      expect(alice.privateGroup).toBe(name);
      await holder.disconnect();
    },
  );

  it('fails over to the next daemon of the list, and keeps its name and its groups', async () => {
    const daemons = [
      await RestartableDaemon.start({ name: 'node1' }),
      await RestartableDaemon.start({ name: 'node2' }),
    ] as const;
    const bench = new MailboxBench(daemons.map(({ address }) => address));
    const alice = await bench.connect('alice', reconnect());
    await alice.join('room', { awaitView: true });
    await daemons[0].stop();
    await until(() => alice.state === 'OPEN' && alice.privateGroup === '#alice#node2');
    expect(alice.daemon).toBe(daemons[1].address);
    expect((await alice.join('room', { awaitView: true }))?.members).toEqual(['#alice#node2']);
  });

  it('neither loses nor repeats queued messages', async () => {
    const daemon = await RestartableDaemon.start();
    const bench = new MailboxBench(daemon.address);
    const alice = await bench.connect('alice', reconnect({ queueMulticasts: true }));
    const receiver = attachReceiver(alice);
    await alice.join('room', { awaitView: true });
    await daemon.stop();
    await until(() => alice.state === 'RECONNECTING');
    const payloads = Array.from({ length: 50 }, (_, i) => `m${i}`);
    const sends = payloads.map((payload) => alice.multicast(outgoing('room', payload)));
    await daemon.restart();
    await within(Promise.all(sends), 'all messages sent');
    await until(() => receiver.events.at(-1)?.what === 'm49');
    expect(receiver.events.filter(({ kind }) => kind === 'regular').map(({ what }) => what)).toEqual(
      payloads,
    );
  });
});

describe('over gRPC, with the TypeScript client', () => {
  async function setUp(mailbox: SidecarFixtureOptions['mailbox'] = {}) {
    const daemons = [
      await RestartableDaemon.start({ name: 'node1' }),
      await RestartableDaemon.start({ name: 'node2' }),
    ] as const;
    const running = await startSidecar({ daemons: daemons.map(({ address }) => address), mailbox });
    return { daemons, sidecar: sidecarAt(running.target) };
  }
  const next = (mailbox: Mailbox): Promise<SpreadEvent> => mailbox.receive({ timeoutMs: 5_000 });

  it('reports loss and restoration, and the private group changes', async () => {
    const { daemons, sidecar } = await setUp();
    const mailbox = await sidecar.connect({ privateName: 'alice', reconnect: true });
    await mailbox.join('room', { awaitView: true });
    expect(await next(mailbox)).toMatchObject({ kind: 'view', sequence: 1n });
    await daemons[0].stop();
    expect(await next(mailbox)).toMatchObject({
      kind: 'connectionLost',
      sequence: 2n,
      privateGroup: '#alice#node1',
      groups: ['room'],
      spreadCode: -8,
    });
    expect(await next(mailbox)).toMatchObject({
      kind: 'connectionRestored',
      sequence: 3n,
      previousPrivateGroup: '#alice#node1',
      privateGroup: '#alice#node2',
      groups: ['room'],
      daemon: daemons[1].address,
    });
    expect(mailbox).toMatchObject({ privateGroup: '#alice#node2', daemon: daemons[1].address });
    expect(await next(mailbox)).toMatchObject({ kind: 'view', sequence: 4n, members: ['#alice#node2'] });
    await mailbox.multicast(AGREED_MESS, 'room', 'hello');
    expect(await next(mailbox)).toMatchObject({ kind: 'regular', sender: '#alice#node2' });
    expect(await mailbox.disconnect()).toBe(true);
  });

  it('rejects messages meanwhile with a retry delay, and gives up with CONNECTION_CLOSED', async () => {
    const { daemons, sidecar } = await setUp();
    const mailbox = await sidecar.connect({ reconnect: { giveUpAfterMs: 1_500 } });
    for (const daemon of daemons) await daemon.stop();
    await until(async () => (await mailbox.info()).state === 'RECONNECTING');
    expect((await mailbox.poll()).state).toBe('RECONNECTING');
    await expect(mailbox.multicast(AGREED_MESS, 'room', 'x')).rejects.toMatchObject({
      statusName: 'UNAVAILABLE',
      reason: 'RECONNECTING',
      domain: 'spread-sidecar',
      outcome: 'not-sent',
      retryable: true,
      retryDelayMs: 1000,
    });
    const sender = mailbox.sender();
    await expect(
      (async () => {
        await sender.send(AGREED_MESS, 'room', 'x');
        await sender.close();
      })(),
    ).rejects.toMatchObject({ statusName: 'UNAVAILABLE', reason: 'RECONNECTING' });
    expect(await next(mailbox)).toMatchObject({ kind: 'connectionLost' });
    await expect(next(mailbox)).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      statusName: 'UNAVAILABLE',
    });
    await expect(mailbox.multicast(AGREED_MESS, 'room', 'x')).rejects.toMatchObject({
      code: 'NET_ERROR_ON_SESSION',
      outcome: 'not-sent',
    });
  });

  it('ends waiting calls with the reason when it gives up', async () => {
    const { daemons, sidecar } = await setUp();
    const mailbox = await sidecar.connect({ reconnect: { giveUpAfterMs: 500, queueMulticasts: true } });
    for (const daemon of daemons) await daemon.stop();
    await until(async () => (await mailbox.info()).state === 'RECONNECTING');
    await expect(mailbox.multicast(AGREED_MESS, 'room', 'x')).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      outcome: 'not-sent',
    });
  });
});
