import { describe, expect, it } from 'vitest';
import type { Mailbox } from '../../../../server/src/mailbox/mailbox.js';
import { attachReceiver, outgoing } from '../../../support/mailboxes/mailbox-bench.js';
import { regular, selfLeave, view } from '../../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';
import {
  A,
  allow,
  attemptsSinceOpening,
  B,
  daemons,
  done,
  ended,
  fate,
  like,
  ME,
  open,
  pass,
  refuse,
  registry,
  resetForEachTest,
  session,
} from './reconnecting-mailbox.js';

describe('a mailbox that reconnects', () => {
  resetForEachTest();

  describe('events', () => {
    it('report loss and restoration in the one sequence, without a gap', async () => {
      daemons.nameOf = (daemon) => (daemon === A ? 'a' : 'b');
      const mailbox = await open({}, {}, { daemons: [A, B] });
      const receiver = attachReceiver(mailbox);
      await done(mailbox.join('two'));
      await done(mailbox.join('one'));
      session().deliver(regular('before'));
      daemons.answer = (daemon) => (daemon === A ? 'COULD_NOT_CONNECT' : undefined);
      session().lose();
      await pass(100);
      session().deliver(regular('after'));
      await pass(1);
      expect(
        receiver.events.map(({ sequence, kind, what, privateGroup }) => [sequence, kind, what, privateGroup]),
      ).toEqual([
        [1, 'regular', 'before', '#me#a'],
        [2, 'connectionLost', '#me#a [two,one] -8', '#me#a'],
        [3, 'connectionRestored', `#me#a > #me#b [two,one] ${B}`, '#me#b'],
        [4, 'regular', 'after', '#me#b'],
      ]);
      expect(receiver.end).toBeUndefined();
      expect(registry.totals().received).toMatchObject({
        connectionLost: 1,
        connectionRestored: 1,
        regular: 2,
      });
    });

    it('a receiver that attaches meanwhile gets the queued events', async () => {
      const mailbox = await open();
      await done(mailbox.join('one'));
      refuse();
      session().lose();
      const receiver = attachReceiver(mailbox);
      await pass(10);
      expect(receiver.attachment!.info).toMatchObject({ privateGroup: ME, groups: ['one'], lastSequence: 1 });
      expect(receiver.events).toMatchObject([{ kind: 'connectionLost' }]);
    });

    it('no attempt is made while the queue is full, so that attempts cannot accumulate', async () => {
      const mailbox = await open({}, { queue: { maxEvents: 3 } });
      const receiver = new RecordingReceiver(false);
      receiver.attachment = mailbox.attach({}, receiver);
      for (const payload of ['a', 'b', 'c']) session().deliver(regular(payload));
      expect(session().paused).toBe(true);
      session().lose();
      await pass(10_000);
      expect(attemptsSinceOpening()).toEqual([]);
      receiver.willing = true;
      receiver.takeAll();
      await pass(0);
      expect(daemons.sessions).toHaveLength(2);
      expect(session().paused).toBe(false);
      expect(mailbox.state).toBe('OPEN');
    });

    it('the new session does not read when the restoration itself fills the queue', async () => {
      const mailbox = await open({}, { queue: { maxEvents: 2 } });
      session().lose();
      await pass(100);
      expect(mailbox).toMatchObject({ state: 'OPEN', paused: true });
      expect(session().paused).toBe(true);
    });

    it.each([1, 2])('with policy DISCONNECT one event too many ends the mailbox (%i)', async (maxEvents) => {
      const mailbox = await open({ queueMulticasts: true }, { queue: { maxEvents, overflow: 'DISCONNECT' } });
      await done(mailbox.join('room'));
      session().deliver(regular('a'));
      session().lose();
      const sending = fate(mailbox.multicast(outgoing('room', 'waits')));
      await pass(200);
      expect(mailbox.state).toBe('ENDED');
      expect(ended).toEqual([expect.stringMatching(/^QUEUE_OVERFLOW/)]);
      expect(sending.error).toMatchObject({ reason: 'QUEUE_OVERFLOW', metadata: { outcome: 'not-sent' } });
      expect(daemons.sessions).toHaveLength(maxEvents);
      if (maxEvents === 2) expect(session().sent).toEqual(['goodbye']);
    });
  });

  describe('groups', () => {
    it('are joined again in the order of joining, before anything else', async () => {
      const mailbox = await open();
      for (const group of ['c', 'a', 'b']) await done(mailbox.join(group));
      await done(mailbox.leave('a'));
      await done(mailbox.join('a'));
      session().lose();
      await pass(100);
      expect(session().sent).toEqual(['join c', 'join b', 'join a']);
      expect(mailbox.snapshot().groups).toEqual(['c', 'b', 'a']);
    });

    it('known views are discarded until new ones arrive, under the new name', async () => {
      daemons.nameOf = (daemon) => (daemon === A ? 'a' : 'b');
      const mailbox = await open({}, {}, { daemons: [A, B] });
      await done(mailbox.join('room'));
      session().deliver(view('room', 'JOIN', ['#me#a'], ['#me#a']));
      expect(mailbox.view('room').view.members).toEqual(['#me#a']);
      daemons.answer = (daemon) => (daemon === A ? 'COULD_NOT_CONNECT' : undefined);
      session().lose();
      expect(() => mailbox.view('room')).toThrow(like({ reason: 'NO_VIEW' }));
      await pass(100);
      expect(() => mailbox.view('room')).toThrow(like({ reason: 'NO_VIEW' }));
      const own = view('room', 'JOIN', ['#x#a', '#me#b'], ['#me#b']);
      session().deliver(own);
      expect(mailbox.view('room').view).toBe(own);
      // Not a member any more: a leave with await_view waits for its self-leave as usual.
      const leaving = mailbox.leave('room', { awaitView: true });
      session().deliver(selfLeave('room'));
      expect(await leaving).toEqual(selfLeave('room'));
    });

    it('a join that waits for its view gets the one after the loss', async () => {
      const mailbox = await open();
      const joining = fate(mailbox.join('room', { awaitView: true }));
      await pass(0);
      session().lose();
      await pass(100);
      expect(joining.settled).toBe(false);
      const own = view('room', 'JOIN', [ME], [ME]);
      session().deliver(own);
      await pass(0);
      expect(joining.value).toBe(own);
    });

    it('a leave that waits for its self-leave ends with the loss, and the group is not joined again', async () => {
      const mailbox = await open();
      await done(mailbox.join('room'));
      session().deliver(view('room', 'JOIN', [ME], [ME]));
      const leaving = fate(mailbox.leave('room', { awaitView: true }));
      await pass(0);
      session().lose();
      await pass(0);
      expect(leaving).toEqual({ settled: true, value: undefined });
      await pass(100);
      expect(session().sent).toEqual([]);
    });

    it('a join that a later leave undoes fails with VIEW_NOT_COMING', async () => {
      const mailbox = await open();
      const before = fate(mailbox.join('one', { awaitView: true }));
      void mailbox.leave('one');
      refuse();
      session().lose();
      const during = fate(mailbox.join('two', { awaitView: true }));
      void mailbox.leave('two');
      await pass(0);
      for (const joining of [before, during])
        expect(joining.error).toMatchObject({ reason: 'VIEW_NOT_COMING' });
    });

    it('join and leave meanwhile return immediately and change the groups to join', async () => {
      const mailbox = await open();
      await done(mailbox.join('one'));
      await done(mailbox.join('two'));
      refuse();
      session().lose();
      const calls = [
        mailbox.leave('one'),
        mailbox.join('three'),
        mailbox.leave('two', { awaitView: true }),
      ].map(fate);
      const joining = fate(mailbox.join('four', { awaitView: true }));
      await pass(0);
      for (const call of calls) expect(call).toEqual({ settled: true, value: undefined });
      expect(mailbox.snapshot().groups).toEqual(['three', 'four']);
      allow();
      await pass(100);
      expect(session().sent).toEqual(['join three', 'join four']);
      const own = view('four', 'JOIN', [ME], [ME]);
      session().deliver(own);
      await pass(0);
      expect(joining.value).toBe(own);
    });

    it('the limit of groups applies meanwhile', async () => {
      const mailbox = await open({}, {}, { maxGroups: 1 });
      await done(mailbox.join('one'));
      refuse();
      session().lose();
      await expect(mailbox.join('two')).rejects.toEqual(like({ reason: 'TOO_MANY_GROUPS' }));
    });

    it('joins and leaves that the lost connection had not accepted count as done', async () => {
      const mailbox = await open();
      await done(mailbox.join('one'));
      session().full = true;
      const calls = [mailbox.join('two'), mailbox.leave('one'), mailbox.join('three')].map(fate);
      session().lose();
      await pass(0);
      for (const call of calls) expect(call).toEqual({ settled: true, value: undefined });
      await pass(100);
      expect(session().sent).toEqual(['join two', 'join three']);
    });

    it('calls that wait for a view fail when the mailbox gives up', async () => {
      const mailbox = await open({ giveUpAfterMs: 500 });
      const joining = fate(mailbox.join('room', { awaitView: true }));
      refuse();
      session().lose();
      await pass(600);
      expect(joining.error).toMatchObject({ code: 'CONNECTION_CLOSED' });
    });
  });

  describe('messages', () => {
    it('meanwhile are rejected with RECONNECTING, and none of them is ever sent', async () => {
      const mailbox = await open();
      refuse();
      session().lose();
      const refused = like({ reason: 'RECONNECTING', metadata: { outcome: 'not-sent' } });
      await expect(mailbox.multicast(outgoing('room', 'a'))).rejects.toEqual(refused);
      expect(() => mailbox.send(outgoing('room', 'b'))).toThrow(refused);
      await expect(mailbox.multicast(outgoing('', 'c'))).rejects.toEqual(like({ code: 'ILLEGAL_GROUP' }));
      allow();
      await pass(200);
      expect(session().sent).toEqual([]);
      await Promise.all([mailbox.multicast(outgoing('room', 'd')), pass(10)]);
      expect(session().sent).toEqual(['multicast d']);
    });

    it('in the send queue are rejected too, those that the connection accepted have an unknown outcome', async () => {
      const mailbox = await open();
      session().full = true;
      const [given, waiting] = ['given', 'waiting'].map((payload) =>
        fate(mailbox.multicast(outgoing('room', payload))),
      );
      const first = session();
      session().lose();
      await pass(500);
      expect(given!.error).toMatchObject({ code: 'CONNECTION_CLOSED', outcome: 'unknown' });
      expect(waiting!.error).toMatchObject({ reason: 'RECONNECTING', metadata: { outcome: 'not-sent' } });
      expect([first.sent, session().sent]).toEqual([['multicast given'], []]);
    });

    it('wait for the connection if the client enables that, in their order, after the joins', async () => {
      const mailbox = await open({ queueMulticasts: true });
      await done(mailbox.join('room'));
      session().full = true;
      const sends = ['given', 'waited'].map((payload) => fate(mailbox.multicast(outgoing('room', payload))));
      const first = session();
      session().lose();
      sends.push(fate(mailbox.multicast(outgoing('room', 'new'))));
      await pass(90);
      expect(sends.map(({ settled }) => settled)).toEqual([true, false, false]);
      expect(sends[0]!.error).toMatchObject({ code: 'CONNECTION_CLOSED', outcome: 'unknown' });
      expect(mailbox.sendQueueBytes).toBeGreaterThan(0);
      await pass(100);
      expect(first.sent).toEqual(['join room', 'multicast given']);
      expect(session().sent).toEqual(['join room', 'multicast waited', 'multicast new']);
      expect(sends.slice(1)).toEqual([
        { settled: true, value: 6 },
        { settled: true, value: 3 },
      ]);
      expect(mailbox.sendQueueBytes).toBe(0);
    });

    it('that wait have the limit of the send queue', async () => {
      const mailbox = await open({ queueMulticasts: true }, {}, { maxSendQueueBytes: 1_000 });
      refuse();
      session().lose();
      const sends = Array.from({ length: 3 }, () =>
        fate(mailbox.multicast(outgoing('room', 'x'.repeat(400)))),
      );
      await pass(0);
      expect(sends.map(({ settled }) => settled)).toEqual([false, false, true]);
      expect(sends[2]!.error).toMatchObject({ reason: 'SEND_QUEUE_FULL', metadata: { outcome: 'not-sent' } });
    });

    it('that wait can be cancelled', async () => {
      const mailbox = await open({ queueMulticasts: true });
      refuse();
      session().lose();
      const deadline = new AbortController();
      const sending = fate(mailbox.multicast(outgoing('room', 'late'), { signal: deadline.signal }));
      await pass(10);
      deadline.abort();
      await pass(0);
      expect(sending.error).toMatchObject({ reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'not-sent' } });
      allow();
      await pass(500);
      expect(session().sent).toEqual([]);
    });

    it.each([
      ['it is given up', 'CONNECTION_CLOSED', async () => void (await pass(600))],
      ['it is disconnected', 'MAILBOX_DISCONNECTED', (mailbox: Mailbox) => mailbox.disconnect()],
      ['the sidecar drains', 'DRAINING', () => registry.drain({ graceMs: 0 })],
    ] as const)('that wait when %s are answered: not sent', async (_, code, end) => {
      const mailbox = await open({ queueMulticasts: true, giveUpAfterMs: 500 });
      refuse();
      session().lose();
      const sends = [
        fate(mailbox.multicast(outgoing('room', 'a'))),
        fate(mailbox.multicast(outgoing('room', 'b'))),
      ];
      const ending = end(mailbox);
      await pass(10);
      await ending;
      for (const { error } of sends) {
        const { code: spread, reason, outcome, metadata } = error as Record<string, unknown>;
        expect([reason ?? spread, outcome ?? (metadata as Record<string, string>).outcome]).toEqual([
          code,
          'not-sent',
        ]);
      }
    });

    it('survive a connection that is lost again before it accepted anything', async () => {
      const mailbox = await open({ queueMulticasts: true });
      await done(mailbox.join('room'));
      session().lose();
      const sending = fate(mailbox.multicast(outgoing('room', 'a')));
      const first = daemons.sessions.length;
      // The second session is closed when it is passed on, as when the daemon ends right after its accept.
      let dead = true;
      daemons.onSession = (made) => {
        if (dead) made.dieBeforeStart();
        dead = false;
      };
      await pass(100);
      expect(daemons.sessions).toHaveLength(first + 1);
      expect(sending.settled).toBe(false);
      expect(mailbox.state).toBe('RECONNECTING');
      await pass(1_000);
      expect(session().sent).toEqual(['join room', 'multicast a']);
      expect(sending).toEqual({ settled: true, value: 1 });
    });

    it('a stream reports its first message with an unknown outcome, and may continue after the reconnection', async () => {
      const mailbox = await open();
      session().full = true;
      const errors: Error[] = [];
      const onTaken = (error?: Error) => void (error && errors.push(error));
      expect(mailbox.send(outgoing('room', 'given'), onTaken)).toBe(false);
      mailbox.send(outgoing('room', 'waits'), onTaken);
      let room = 0;
      mailbox.onSendRoom(() => room++);
      session().lose();
      // Queued messages of a stream also have an unknown outcome, because the stream ends with its first
      // failure.
      expect(errors).toMatchObject([
        { reason: 'RECONNECTING', metadata: { outcome: 'unknown' } },
        { code: 'CONNECTION_CLOSED', outcome: 'unknown' },
      ]);
      expect(room).toBe(0);
      await pass(1);
      expect(room).toBe(1);
      await pass(200);
      expect(mailbox.send(outgoing('room', 'new'))).toBe(true);
    });

    it('a stream with waiting messages gets backpressure until the reconnection', async () => {
      const mailbox = await open({ queueMulticasts: true });
      session().lose();
      expect(mailbox.send(outgoing('room', 'a'))).toBe(false);
      let room = 0;
      mailbox.onSendRoom(() => room++);
      await pass(90);
      expect(room).toBe(0);
      await pass(20);
      expect(room).toBe(1);
      expect(session().sent).toEqual(['multicast a']);
    });
  });
});
