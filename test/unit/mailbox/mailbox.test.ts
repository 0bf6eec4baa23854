import { describe, expect, it, vi } from 'vitest';
import type { OutgoingMessage } from '../../../server/src/mailbox/mailbox-types.js';
import { ByteBudget } from '../../../server/src/mailbox/queue/byte-budget.js';
import { regular, rejected, selfLeave, transitional, view } from '../../support/mailboxes/plain-events.js';
import {
  attach,
  drained,
  LIMITS,
  ME,
  mailboxOf,
  message,
  rejectsWith,
  resetForEachTest,
  session,
  turn,
} from './one-mailbox.js';

describe('Mailbox', () => {
  resetForEachTest();

  describe('groups', () => {
    it('join without await_view returns when the connection accepted the request', async () => {
      const mailbox = mailboxOf();
      session.takesAtOnce = false;
      const joined = vi.fn();
      const joining = mailbox.join('room').then(joined);
      await turn();
      expect(session.sent).toEqual(['join room']);
      expect(joined).not.toHaveBeenCalled();
      session.drain();
      await joining;
      expect(joined).toHaveBeenCalledWith(undefined);
    });

    it('join with await_view returns the own view, which is an event too', async () => {
      const mailbox = mailboxOf();
      const receiver = attach(mailbox);
      const joining = mailbox.join('room', { awaitView: true });
      const own = view('room', 'JOIN', [ME], [ME]);
      session.deliver(own);
      expect(await joining).toBe(own);
      await turn();
      expect(receiver.events).toMatchObject([{ kind: 'view', what: 'room', privateGroup: ME }]);
      expect(mailbox.view('room')).toEqual({ view: own, inTransition: false });
    });

    it('a second join sends nothing and does not hang, because the daemon ignores it', async () => {
      const mailbox = mailboxOf();
      const joining = mailbox.join('room', { awaitView: true });
      const own = view('room', 'JOIN', [ME], [ME]);
      session.deliver(own);
      await joining;
      expect(await mailbox.join('room', { awaitView: true })).toBe(own);
      expect(await mailbox.join('room')).toBeUndefined();
      expect(session.sent).toEqual(['join room']);
    });

    it('leave with await_view returns the self-leave, or nothing immediately outside of the group', async () => {
      const mailbox = mailboxOf();
      expect(await mailbox.leave('room', { awaitView: true })).toBeUndefined();
      expect(session.sent).toEqual([]);
      await mailbox.join('room');
      session.deliver(view('room', 'JOIN', [ME], [ME]));
      const leaving = mailbox.leave('room', { awaitView: true });
      session.deliver(selfLeave('room'));
      expect(await leaving).toEqual(selfLeave('room'));
      expect(mailbox.snapshot().groups).toEqual([]);
    });

    it.each([
      ['', 'ILLEGAL_GROUP'],
      ['x'.repeat(32), 'ILLEGAL_GROUP'],
      ['a b', 'ILLEGAL_GROUP'],
      ['#me#test', 'ILLEGAL_GROUP'],
      ['room\0', 'ILLEGAL_GROUP'],
    ])('rejects the group %j before a byte is sent', async (group, code) => {
      const mailbox = mailboxOf();
      await rejectsWith(mailbox.join(group), { code });
      await rejectsWith(mailbox.leave(group), { code });
      expect(() => mailbox.view(group)).toThrow(expect.objectContaining({ name: 'SpreadError', code }));
      expect(session.sent).toEqual([]);
    });

    it('limits its groups, including pending ones', async () => {
      const mailbox = mailboxOf();
      for (const group of ['a', 'b', 'c']) await mailbox.join(group);
      await rejectsWith(mailbox.join('d'), {
        reason: 'TOO_MANY_GROUPS',
        metadata: { field: 'group', limit: 'mailbox.maxGroups', bound: '3' },
      });
      await mailbox.join('a');
      await mailbox.leave('b');
      await mailbox.join('d');
      expect(mailbox.snapshot().groups).toEqual(['a', 'c', 'd']);
    });

    it('without membership no call can wait', async () => {
      const mailbox = mailboxOf({ membership: false });
      await rejectsWith(mailbox.join('room', { awaitView: true }), { reason: 'MEMBERSHIP_OFF' });
      await rejectsWith(mailbox.leave('room', { awaitView: true }), { reason: 'MEMBERSHIP_OFF' });
      expect(() => mailbox.view('room')).toThrow(expect.objectContaining({ reason: 'MEMBERSHIP_OFF' }));
      await mailbox.join('room');
      expect(mailbox.snapshot().groups).toEqual(['room']);
    });

    it('a wait ends with the signal', async () => {
      const mailbox = mailboxOf();
      const deadline = new AbortController();
      const joining = mailbox.join('room', { awaitView: true, signal: deadline.signal });
      deadline.abort();
      await rejectsWith(joining, { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'unknown' } });
      session.deliver(view('room', 'JOIN', [ME], [ME]));
      expect(mailbox.snapshot().groups).toEqual(['room']);
    });

    it('a call after its deadline sends nothing', async () => {
      const mailbox = mailboxOf();
      const deadlineExceeded = { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'not-sent' } };
      const signal = AbortSignal.abort();
      await rejectsWith(mailbox.join('room', { signal }), deadlineExceeded);
      await rejectsWith(mailbox.leave('room', { signal }), deadlineExceeded);
      await rejectsWith(mailbox.multicast(message('a'), { signal }), deadlineExceeded);
      expect(session.sent).toEqual([]);
    });

    it('a join that waits for the connection ends with the signal too', async () => {
      const mailbox = mailboxOf();
      session.takesAtOnce = false;
      const deadline = new AbortController();
      const joining = mailbox.join('room', { signal: deadline.signal });
      deadline.abort();
      await rejectsWith(joining, { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'unknown' } });
    });

    it('a wait ends with the mailbox', async () => {
      const mailbox = mailboxOf();
      const joining = mailbox.join('room', { awaitView: true });
      void mailbox.disconnect();
      await rejectsWith(joining, { reason: 'MAILBOX_DISCONNECTED' });
    });

    it('a wait ends with the daemon', async () => {
      const mailbox = mailboxOf();
      const joining = mailbox.join('room', { awaitView: true });
      session.lose();
      await rejectsWith(joining, { name: 'SpreadError', code: 'CONNECTION_CLOSED' });
    });

    it('a wait ends when the daemon rejects the join', async () => {
      const mailbox = mailboxOf();
      const joining = mailbox.join('room', { awaitView: true });
      session.deliver(rejected('JOIN', 'room', ME));
      await rejectsWith(joining, { reason: 'VIEW_NOT_COMING' });
      expect(mailbox.snapshot().groups).toEqual([]);
    });

    it('shows that a view is about to change', async () => {
      const mailbox = mailboxOf();
      await mailbox.join('room');
      expect(() => mailbox.view('room')).toThrow(expect.objectContaining({ reason: 'NO_VIEW' }));
      session.deliver(view('room', 'JOIN', [ME], [ME]));
      session.deliver(transitional('room'));
      expect(mailbox.view('room').inTransition).toBe(true);
    });
  });

  describe('sending', () => {
    it('returns the size of the payload when the connection accepted it', async () => {
      const mailbox = mailboxOf();
      session.takesAtOnce = false;
      const sent = vi.fn();
      const sending = mailbox.multicast(message('hello')).then(sent);
      await turn();
      expect(sent).not.toHaveBeenCalled();
      session.drain();
      await sending;
      expect(sent).toHaveBeenCalledWith(5);
      expect(mailbox.snapshot()).toMatchObject({ messagesSent: 1, payloadBytesSent: 5, sendQueueBytes: 0 });
    });

    it('keeps the order in which calls arrived, over unary calls and streams', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const calls: Promise<unknown>[] = [
        mailbox.multicast(message('1')),
        mailbox.join('room'),
        mailbox.multicast(message('2')),
      ];
      mailbox.send(message('3'));
      calls.push(mailbox.leave('room'), mailbox.multicast(message('4')));
      for (let i = 0; i < 6; i++) await drained();
      await Promise.all(calls);
      expect(session.sent).toEqual([
        'multicast 1',
        'join room',
        'multicast 2',
        'multicast 3',
        'leave room',
        'multicast 4',
      ]);
    });

    it.each<[Partial<OutgoingMessage>, string]>([
      [{ groups: [] }, 'ILLEGAL_GROUP'],
      [{ groups: ['a b'] }, 'ILLEGAL_GROUP'],
      [{ groups: Array.from({ length: 44 }, (_, i) => `g${i}`) }, 'ILLEGAL_GROUP'],
      [{ messageType: 40_000 }, 'ILLEGAL_MESSAGE'],
      [{ payload: Buffer.alloc(143_120) }, 'MESSAGE_TOO_LONG'],
      [{ serviceType: 'LOUD' as never }, 'ILLEGAL_SERVICE'],
    ])('rejects a queued message in the same way as any other: %#', async (changes, code) => {
      const mailbox = mailboxOf();
      session.full = true;
      const first = mailbox.multicast(message('first'));
      await rejectsWith(mailbox.multicast(message('x', changes)), { name: 'SpreadError', code });
      expect(() => mailbox.send(message('x', changes))).toThrow(expect.objectContaining({ code }));
      session.drain();
      await first;
      expect(session.sent).toEqual(['multicast first']);
    });

    it('cancels a queued message at its deadline: not sent', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const deadline = new AbortController();
      const first = mailbox.multicast(message('first'), { signal: deadline.signal });
      const second = mailbox.multicast(message('second'), { signal: deadline.signal });
      deadline.abort();
      await rejectsWith(first, { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'unknown' } });
      await rejectsWith(second, { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'not-sent' } });
      session.drain();
      expect(session.sent).toEqual(['multicast first']);
    });

    it('rejects messages beyond the limit of the send queue', async () => {
      const mailbox = mailboxOf({ limits: { ...LIMITS, maxSendQueueBytes: 500 } });
      session.full = true;
      const first = mailbox.multicast(message('x'.repeat(300)));
      await rejectsWith(mailbox.multicast(message('x'.repeat(300))), {
        reason: 'SEND_QUEUE_FULL',
        metadata: { limit: 'mailbox.sendQueueMaxBytes', bound: '500 bytes', outcome: 'not-sent' },
      });
      session.drain();
      await first;
    });

    it('notifies a stream when to wait and when to continue', async () => {
      const mailbox = mailboxOf();
      const room = vi.fn();
      expect(mailbox.send(message('1'))).toBe(true);
      session.full = true;
      expect(mailbox.send(message('2'))).toBe(false);
      mailbox.onSendRoom(room);
      await turn();
      expect(room).not.toHaveBeenCalled();
      await drained();
      expect(room).toHaveBeenCalledTimes(1);
    });

    it('reports each message of a stream as accepted, or the reason', () => {
      const mailbox = mailboxOf();
      session.takesAtOnce = false;
      const taken = vi.fn();
      mailbox.send(message('1'), taken);
      mailbox.send(message('2'), taken);
      session.drain();
      expect(taken.mock.calls).toEqual([[undefined], [undefined]]);
      session.full = true;
      mailbox.send(message('handed over'), taken);
      mailbox.send(message('waiting'), taken);
      session.lose();
      // The stream ends with the first of these messages, so all of them have an unknown outcome.
      const lost = [expect.objectContaining({ code: 'CONNECTION_CLOSED', outcome: 'unknown' })];
      expect(taken.mock.calls.slice(2)).toEqual([lost, lost]);
    });

    it('reports for each queued message whether its outcome is known', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const handed = mailbox.multicast(message('handed over'));
      const waiting = mailbox.multicast(message('waiting'));
      session.lose();
      await rejectsWith(handed, { code: 'CONNECTION_CLOSED', outcome: 'unknown' });
      await rejectsWith(waiting, { code: 'CONNECTION_CLOSED', outcome: 'not-sent' });
    });

    it('reports the same when the mailbox is disconnected without a disconnect message', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const handed = mailbox.multicast(message('handed over'));
      const waiting = mailbox.multicast(message('waiting'));
      await mailbox.disconnect({ abort: true });
      const reason = 'MAILBOX_DISCONNECTED';
      await rejectsWith(handed, { reason, metadata: { outcome: 'unknown', last_sequence: '0' } });
      await rejectsWith(waiting, { reason, metadata: { outcome: 'not-sent', last_sequence: '0' } });
    });
  });

  describe('a full queue that pauses', () => {
    const queue = { ...LIMITS.queue, maxEvents: 3 };

    it('stops reading, loses nothing, and continues when there is room', async () => {
      const mailbox = mailboxOf({ limits: { ...LIMITS, queue } });
      const receiver = attach(mailbox, {}, false);
      for (let i = 0; i < 10; i++) session.deliver(regular(`${i}`));
      expect(session.paused).toBe(true);
      expect(mailbox.snapshot()).toMatchObject({ paused: true, waitingEvents: 3 });
      receiver.willing = true;
      receiver.takeAll();
      await turn();
      expect(receiver.events.map((event) => event.what).join('')).toBe('0123456789');
      expect(receiver.sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(mailbox.paused).toBe(false);
    });
  });

  describe('its memory', () => {
    it('is released when it is discarded', async () => {
      const budget = new ByteBudget(1_000_000);
      const mailbox = mailboxOf({ budget });
      session.deliver(regular('a'));
      expect(budget.used).toBeGreaterThan(0);
      await mailbox.disconnect();
      await mailbox.discard();
      expect(budget.used).toBe(0);
    });

    it('stays for a receiver that is still attached', async () => {
      const budget = new ByteBudget(1_000_000);
      const mailbox = mailboxOf({ budget });
      const receiver = attach(mailbox, {}, false);
      session.deliver(regular('a'));
      await mailbox.disconnect();
      const discarded = mailbox.discard();
      expect(budget.used).toBeGreaterThan(0);
      receiver.takeAll();
      await discarded;
      expect(receiver.sequences).toEqual([1]);
      expect(budget.used).toBe(0);
    });

    it('is reported completely', async () => {
      const mailbox = mailboxOf({ acknowledgement: 'EXPLICIT' });
      await mailbox.join('room');
      session.deliver(regular('a'));
      session.deliver(regular('b'));
      const receiver = attach(mailbox, { maxOutstandingEvents: 1 });
      await turn();
      expect(receiver.sequences).toEqual([1]);
      expect(mailbox.snapshot()).toEqual({
        privateGroup: ME,
        state: 'OPEN',
        daemon: '4803@node1',
        daemonVersion: { major: 5, minor: 0, patch: 1 },
        membership: true,
        acknowledgement: 'EXPLICIT',
        limits: LIMITS,
        groups: ['room'],
        openedAtMs: mailbox.openedAtMs,
        receiverAttached: true,
        lastSequence: 2,
        deliveredSequence: 1,
        acknowledgedSequence: 0,
        waitingEvents: 1,
        waitingBytes: expect.any(Number),
        retainedBytes: expect.any(Number),
        messagesSent: 0,
        payloadBytesSent: 0,
        sendQueueBytes: 0,
        paused: false,
        leaseEndsAtMs: undefined,
        displayId: 'm1',
        loadEvents: 2,
        loadBytes: mailbox.snapshot().retainedBytes,
        softLimitEndsAtMs: undefined,
      });
      expect(mailbox.poll()).toEqual({
        waitingEvents: 1,
        waitingBytes: mailbox.snapshot().waitingBytes,
        state: 'OPEN',
      });
      expect(JSON.stringify(mailbox.snapshot())).not.toContain(mailbox.id);
      expect({ ...mailbox.received }).toMatchObject({ regular: 2, view: 0 });
    });
  });
});
