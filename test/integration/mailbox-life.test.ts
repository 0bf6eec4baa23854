import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmbeddedDaemon, listen } from '../../server/src/daemon/index.js';
import { DaemonMonitor } from '../../server/src/mailbox/connection/daemon-monitor.js';
import { Session } from '../../server/src/spread/session.js';
import { type RunningDaemon, startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { attachReceiver, MailboxBench, outgoing } from '../support/mailboxes/mailbox-bench.js';
import type { RecordingReceiver } from '../support/mailboxes/recording-receiver.js';
import { freePort } from '../support/sidecars/serve-process.js';
import { until, within } from '../support/until.js';

const spreadName = (daemon: RunningDaemon) => `${daemon.tcp.port}@127.0.0.1`;

/** A listener that accepts connections and sends nothing. */
async function silentPort(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

describe('a mailbox at the embedded daemon', () => {
  it.each(['tcp', 'unix'] as const)(
    'joins, multicasts, sees views and leaves, over %s',
    async (transport) => {
      const daemon = await startEmbeddedDaemon({ name: 'node1' });
      const bench = new MailboxBench(transport === 'tcp' ? spreadName(daemon) : daemon.unix.path);
      const alice = await bench.connect('alice');
      const bob = await bench.connect('bob');
      expect([alice.privateGroup, bob.privateGroup]).toEqual(['#alice#node1', '#bob#node1']);
      expect(alice.daemonVersion).toEqual({ major: 5, minor: 0, patch: 1 });

      const own = await alice.join('room', { awaitView: true });
      expect(own).toMatchObject({ cause: 'JOIN', members: ['#alice#node1'], changed: ['#alice#node1'] });
      const both = await bob.join('room', { awaitView: true });
      expect(both!.members).toEqual(['#alice#node1', '#bob#node1']);
      await until(() => alice.view('room').view.members.length === 2);
      expect(alice.view('room').view.groupId).toEqual(both!.groupId);

      expect(await bob.multicast(outgoing('room', 'hello'))).toBe(5);
      const receiver = attachReceiver(alice);
      await until(() => receiver.events.length === 3);
      expect(receiver.events.map(({ sequence, kind, what }) => [sequence, kind, what])).toEqual([
        [1, 'view', 'room'],
        [2, 'view', 'room'],
        [3, 'regular', 'hello'],
      ]);

      expect(await bob.leave('room', { awaitView: true })).toEqual({ kind: 'selfLeave', group: 'room' });
      await until(() => alice.view('room').view.cause === 'LEAVE');
    },
  );

  it('responds to a second join and to a leave of an unknown group, which the daemon ignores', async () => {
    const bench = new MailboxBench(spreadName(await startEmbeddedDaemon()));
    const alice = await bench.connect('alice');
    const first = await alice.join('room', { awaitView: true });
    const again = await within(alice.join('room', { awaitView: true }), 'the second join');
    expect(again).toBe(first);
    expect(await within(alice.leave('hall', { awaitView: true }), 'the leave of nothing')).toBeUndefined();
  });

  it('responds to many concurrent joins and leaves of one group, each with its own result', async () => {
    const bench = new MailboxBench(spreadName(await startEmbeddedDaemon()));
    const alice = await bench.connect('alice');
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < 50; i++) {
      answers.push(alice.join('room', { awaitView: true }), alice.leave('room', { awaitView: true }));
    }
    const all = await within(Promise.all(answers), 'all answers');
    for (const [i, answer] of all.entries()) {
      expect(answer).toMatchObject({ kind: i % 2 === 0 ? 'view' : 'selfLeave' });
    }
    expect(alice.snapshot()).toMatchObject({ groups: [], lastSequence: 100 });
  });

  it('shows others a leave, a disconnect or a lost connection, depending on how it ends', async () => {
    const bench = new MailboxBench(spreadName(await startEmbeddedDaemon()));
    const watcher = await bench.connect('watcher');
    await watcher.join('one', { awaitView: true });
    await watcher.join('two', { awaitView: true });
    const causes = async (options: { leaveGroupsFirst?: boolean; abort?: boolean }) => {
      const guest = await bench.connect('guest', { onNameConflict: 'SUFFIX' });
      await guest.join('two', { awaitView: true });
      await guest.join('one', { awaitView: true });
      await until(() => watcher.view('one').view.members.length === 2);
      const before = watcher.lastSequence;
      expect(await bench.registry.disconnect(guest.id, options)).toBe(true);
      await until(() => watcher.lastSequence === before + 2);
      const receiver = attachReceiver(watcher, { afterSequence: before });
      await until(() => receiver.events.length === 2);
      receiver.attachment!.detach();
      return [
        watcher.view('one').view.cause,
        watcher.view('two').view.cause,
        receiver.events.map((event) => event.what).join(' '),
      ];
    };
    // Groups are left in the order of joining. Otherwise the daemon uses the order of their names.
    expect(await causes({ leaveGroupsFirst: true })).toEqual(['LEAVE', 'LEAVE', 'two one']);
    expect(await causes({})).toEqual(['DISCONNECT', 'DISCONNECT', 'one two']);
    expect(await causes({ abort: true })).toEqual(['DISCONNECT', 'DISCONNECT', 'one two']);
  });

  it('frees its name before Disconnect responds', async () => {
    const bench = new MailboxBench(spreadName(await startEmbeddedDaemon()));
    for (let i = 0; i < 20; i++) {
      const alice = await bench.connect('alice');
      await bench.registry.disconnect(alice.id);
    }
  });

  it('gets a variant of its name if allowed when the name is in use', async () => {
    const bench = new MailboxBench(spreadName(await startEmbeddedDaemon()));
    const names = [];
    for (let i = 0; i < 4; i++) {
      names.push((await bench.connect('abcdefghij', { onNameConflict: 'SUFFIX' })).privateGroup);
    }
    expect(names).toEqual([
      '#abcdefghij#localhost',
      '#abcdefghi2#localhost',
      '#abcdefghi3#localhost',
      '#abcdefghi4#localhost',
    ]);
    await expect(bench.connect('abcdefghij')).rejects.toMatchObject({ code: 'REJECT_NOT_UNIQUE' });
  });

  it('uses the next daemon when one is unreachable or does not respond', async () => {
    const daemon = await startEmbeddedDaemon({ name: 'third' });
    const dead = `${await freePort()}@127.0.0.1`;
    const silent = `${await silentPort()}@127.0.0.1`;
    const bench = new MailboxBench([dead, silent, spreadName(daemon)], { connectTimeoutMs: 100 });
    const alice = await bench.connect('alice');
    expect(alice).toMatchObject({ privateGroup: '#alice#third', daemon: spreadName(daemon) });

    const none = new MailboxBench([dead, silent], { connectTimeoutMs: 100 });
    await expect(none.connect('alice')).rejects.toMatchObject({ code: 'COULD_NOT_CONNECT' });
  });

  it('does not use the next daemon when one rejects', async () => {
    const first = await startEmbeddedDaemon({ name: 'first' });
    const second = await startEmbeddedDaemon({ name: 'second' });
    const bench = new MailboxBench([spreadName(first), spreadName(second)]);
    await bench.connect('alice');
    await expect(bench.connect('alice')).rejects.toMatchObject({ code: 'REJECT_NOT_UNIQUE' });
  });

  it('ends with its daemon, delivers all received events, and then rejects calls', async () => {
    const daemon = await startEmbeddedDaemon();
    const bench = new MailboxBench(spreadName(daemon));
    const alice = await bench.connect('alice');
    await alice.join('room', { awaitView: true });
    for (let i = 0; i < 10; i++) await alice.multicast(outgoing('room', `${i}`));
    await until(() => alice.lastSequence === 11);
    const waiting = alice.join('hall', { awaitView: true }).catch((error: unknown) => error);
    await daemon.daemon.close();
    await until(() => alice.state === 'ENDED');
    await waiting;
    const receiver = attachReceiver(alice);
    await until(() => receiver.end);
    expect(receiver.end).toMatchObject({ reason: 'CONNECTION_CLOSED' });
    expect(receiver.events.slice(1, 11).map((event) => event.what)).toEqual([...'0123456789']);
    await expect(alice.multicast(outgoing('room', 'late'))).rejects.toMatchObject({
      code: 'NET_ERROR_ON_SESSION',
      outcome: 'not-sent',
    });
  });

  it('without membership receives messages and no views', async () => {
    const bench = new MailboxBench(spreadName(await startEmbeddedDaemon()));
    const blind = await bench.connect('blind', { membership: false });
    const other = await bench.connect('other');
    await blind.join('room');
    await other.join('room', { awaitView: true });
    await other.multicast(outgoing('room', 'hello'));
    const receiver = attachReceiver(blind);
    await until(() => receiver.events.length === 1);
    expect(receiver.events).toMatchObject([{ sequence: 1, kind: 'regular', what: 'hello' }]);
  });

  it('always ends: after a drain, no session is open at the daemon', async () => {
    const daemon = await startEmbeddedDaemon();
    const bench = new MailboxBench(spreadName(daemon));
    const receivers: RecordingReceiver[] = [];
    for (let i = 0; i < 20; i++) {
      const mailbox = await bench.connect();
      await mailbox.join('room');
      receivers.push(attachReceiver(mailbox));
    }
    await bench.registry.drain({ graceMs: 2_000 });
    expect(daemon.daemon.counters().sessions).toBe(0);
    for (const receiver of receivers) {
      expect(receiver.end).toMatchObject({
        reason: 'DRAINING',
        lastSequence: receiver.sequences.at(-1) ?? 0,
      });
    }
  });
});

describe('the daemon monitor', () => {
  it('follows a daemon that starts, stops and restarts', async () => {
    const start = async (port: number) => {
      const daemon = new EmbeddedDaemon();
      const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port } });
      const stop = async () => {
        await Promise.all([listening.close(), daemon.close()]);
      };
      onTestFinished(stop);
      return { port: listening.tcpPort!, stop };
    };
    const first = await start(0);
    const monitor = new DaemonMonitor({
      daemons: [`${first.port}@127.0.0.1`],
      connect: (options) => Session.connect(options),
      connectTimeoutMs: 1_000,
      backoff: { initialMs: 5, maxMs: 20 },
      probe: { intervalMs: 5, timeoutMs: 5_000 },
    });
    onTestFinished(() => monitor.stop());
    await monitor.start();
    expect(monitor.status).toMatchObject({ up: true, version: { major: 5, minor: 0, patch: 1 } });
    await first.stop();
    await until(() => !monitor.status.up);
    await start(first.port);
    await until(() => monitor.status.up);
  });
});
