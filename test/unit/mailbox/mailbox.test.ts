import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SendFailure } from '../../../server/src/mailbox/end-errors.js';
import type { EncodeEvent } from '../../../server/src/mailbox/event.js';
import { Mailbox } from '../../../server/src/mailbox/mailbox.js';
import type { MailboxOptions } from '../../../server/src/mailbox/mailbox-parts.js';
import type { MailboxLimits, OutgoingMessage } from '../../../server/src/mailbox/mailbox-types.js';
import { ByteBudget } from '../../../server/src/mailbox/queue/byte-budget.js';
import type { AttachOptions } from '../../../server/src/mailbox/queue/receiver.js';
import { SILENT } from '../../../server/src/mailbox/telemetry.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import { FakeSession } from '../../support/mailboxes/fake-session.js';
import {
  plainEncode,
  regular,
  rejected,
  selfLeave,
  transitional,
  view,
} from '../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../support/mailboxes/recording-receiver.js';

const ME = '#me#test';
const turn = () => new Promise((resolve) => setImmediate(resolve));

const LIMITS: MailboxLimits = {
  leaseMs: 30_000,
  queue: { maxEvents: 1000, maxBytes: 1_000_000, replayBytes: 100_000, overflow: 'PAUSE' },
  maxGroupsPerMessage: 43,
  maxMessageBytes: 143_151,
  maxGroups: 3,
  maxSendQueueBytes: 1_000_000,
};

function message(payload: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    serviceType: 'AGREED',
    selfDiscard: false,
    groups: ['room'],
    messageType: 0,
    payload: Buffer.from(payload),
    ...changes,
  };
}

const rejectsWith = (promise: Promise<unknown>, error: object) =>
  expect(promise).rejects.toEqual(expect.objectContaining(error));

describe('Mailbox', () => {
  let session: FakeSession;
  const open: Mailbox[] = [];
  const leaseEnds: Mailbox[] = [];
  const ended: string[] = [];

  function mailboxOf(changes: Partial<MailboxOptions> = {}): Mailbox {
    const mailbox: Mailbox = new Mailbox({
      session,
      id: '0123456789abcdef0123456789abcdef',
      displayId: 'm1',
      daemon: '4803@node1',
      membership: true,
      acknowledgement: 'AUTO',
      limits: LIMITS,
      noticeMark: 0.8,
      disconnectTimeoutMs: 50,
      encode: plainEncode,
      budget: new ByteBudget(1_000_000_000),
      telemetry: { ...SILENT, ended: (_mailbox, reason) => ended.push(reason) },
      onLeaseEnd: () => leaseEnds.push(mailbox),
      ...changes,
    });
    open.push(mailbox);
    return mailbox;
  }

  /** The kernel took everything, and the turn of the event loop is over. */
  const drained = async () => {
    session.drain();
    await turn();
  };

  function attach(mailbox: Mailbox, options: AttachOptions = {}, willing = true): RecordingReceiver {
    const receiver = new RecordingReceiver(willing);
    receiver.attachment = mailbox.attach(options, receiver);
    return receiver;
  }

  beforeEach(() => {
    session = new FakeSession(ME);
    leaseEnds.length = 0;
    ended.length = 0;
  });
  afterEach(async () => {
    vi.useRealTimers();
    session.silent = false;
    for (const mailbox of open.splice(0)) {
      await mailbox.disconnect({ abort: true });
      mailbox.cutReceiver();
      await mailbox.discard();
    }
  });

  describe('groups', () => {
    it('join without await_view is answered when the connection took the request', async () => {
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

    it('join with await_view is answered with the own view, which comes as an event too', async () => {
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

    it('a second join sends nothing and does not hang: the daemon says nothing to it', async () => {
      const mailbox = mailboxOf();
      const joining = mailbox.join('room', { awaitView: true });
      const own = view('room', 'JOIN', [ME], [ME]);
      session.deliver(own);
      await joining;
      expect(await mailbox.join('room', { awaitView: true })).toBe(own);
      expect(await mailbox.join('room')).toBeUndefined();
      expect(session.sent).toEqual(['join room']);
    });

    it('leave with await_view is answered with the self-leave; not in the group, with nothing, at once', async () => {
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
    ])('refuses the group %j before a byte is sent', async (group, code) => {
      const mailbox = mailboxOf();
      await rejectsWith(mailbox.join(group), { code });
      await rejectsWith(mailbox.leave(group), { code });
      expect(() => mailbox.view(group)).toThrow(expect.objectContaining({ name: 'SpreadError', code }));
      expect(session.sent).toEqual([]);
    });

    it('bounds the groups that it is in, those on their way included', async () => {
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

    it('without membership nothing can be waited for', async () => {
      const mailbox = mailboxOf({ membership: false });
      await rejectsWith(mailbox.join('room', { awaitView: true }), { reason: 'MEMBERSHIP_OFF' });
      await rejectsWith(mailbox.leave('room', { awaitView: true }), { reason: 'MEMBERSHIP_OFF' });
      expect(() => mailbox.view('room')).toThrow(expect.objectContaining({ reason: 'MEMBERSHIP_OFF' }));
      await mailbox.join('room');
      expect(mailbox.snapshot().groups).toEqual(['room']);
    });

    it('a wait ends with the signal, and is then over for good', async () => {
      const mailbox = mailboxOf();
      const deadline = new AbortController();
      const joining = mailbox.join('room', { awaitView: true, signal: deadline.signal });
      deadline.abort();
      await rejectsWith(joining, { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'unknown' } });
      session.deliver(view('room', 'JOIN', [ME], [ME]));
      expect(mailbox.snapshot().groups).toEqual(['room']);
    });

    it('a call whose time is over sends nothing', async () => {
      const mailbox = mailboxOf();
      const over = { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'not-sent' } };
      const signal = AbortSignal.abort();
      await rejectsWith(mailbox.join('room', { signal }), over);
      await rejectsWith(mailbox.leave('room', { signal }), over);
      await rejectsWith(mailbox.multicast(message('a'), { signal }), over);
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

    it('a wait ends when the daemon refuses the join', async () => {
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
    it('answers with the bytes of the payload when the connection took them', async () => {
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
    ])('refuses a message that has to wait as it would refuse any other: %#', async (changes, code) => {
      const mailbox = mailboxOf();
      session.full = true;
      const first = mailbox.multicast(message('first'));
      await rejectsWith(mailbox.multicast(message('x', changes)), { name: 'SpreadError', code });
      expect(() => mailbox.send(message('x', changes))).toThrow(expect.objectContaining({ code }));
      session.drain();
      await first;
      expect(session.sent).toEqual(['multicast first']);
    });

    it('withdraws a message that still waits when its time is over: not sent', async () => {
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

    it('refuses more than may wait', async () => {
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

    it('tells a stream when to wait and when to go on', async () => {
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

    it('tells a stream of each message that was taken, or why not', () => {
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
      // The stream ends with the first of these, so none of them may say that nothing was sent.
      const lost = [expect.objectContaining({ code: 'CONNECTION_CLOSED', outcome: 'unknown' })];
      expect(taken.mock.calls.slice(2)).toEqual([lost, lost]);
    });

    it('says of each waiting message whether anybody knows what became of it', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const handed = mailbox.multicast(message('handed over'));
      const waiting = mailbox.multicast(message('waiting'));
      session.lose();
      await rejectsWith(handed, { code: 'CONNECTION_CLOSED', outcome: 'unknown' });
      await rejectsWith(waiting, { code: 'CONNECTION_CLOSED', outcome: 'not-sent' });
    });

    it('says the same when the mailbox is disconnected without a goodbye', async () => {
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

  describe('the end', () => {
    it('comes to the receiver after everything that was received', async () => {
      const mailbox = mailboxOf();
      const receiver = attach(mailbox, {}, false);
      session.deliver(regular('a'));
      session.deliver(regular('b'));
      session.lose(new SpreadError('CONNECTION_CLOSED', 'the daemon has gone'));
      expect(mailbox.state).toBe('ENDED');
      await turn();
      expect(receiver.ends).toEqual([]);
      receiver.takeAll();
      await turn();
      expect(receiver.sequences).toEqual([1, 2]);
      expect(receiver.ends).toEqual([
        {
          reason: 'CONNECTION_CLOSED',
          spreadCode: 'CONNECTION_CLOSED',
          lastSequence: 2,
          message: 'the daemon has gone',
        },
      ]);
      expect(ended).toEqual(['CONNECTION_CLOSED']);
    });

    it('leaves the events of a lost daemon for a receiver that comes later', async () => {
      const mailbox = mailboxOf({ acknowledgement: 'EXPLICIT' });
      session.deliver(regular('a'));
      session.lose();
      expect(mailbox.poll()).toMatchObject({ waitingEvents: 1, state: 'ENDED' });
      const receiver = attach(mailbox);
      await turn();
      expect(receiver.end).toMatchObject({ reason: 'CONNECTION_CLOSED', lastSequence: 1 });
      expect(mailbox.acknowledge(1)).toBe(1);
      expect(mailbox.isFinished).toBe(true);
    });

    it('refuses everything that would need the daemon, in the words of the end', async () => {
      const mailbox = mailboxOf();
      session.lose();
      const lost = { name: 'SpreadError', code: 'NET_ERROR_ON_SESSION', outcome: 'not-sent' };
      await rejectsWith(mailbox.multicast(message('a')), lost);
      await rejectsWith(mailbox.join('room'), lost);
      await rejectsWith(mailbox.leave('room'), lost);
      expect(() => mailbox.send(message('a'))).toThrow(expect.objectContaining(lost));
      expect(() => mailbox.view('room')).toThrow(expect.objectContaining({ reason: 'NO_VIEW' }));
    });

    it('says goodbye behind everything that waits to be sent', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const first = mailbox.multicast(message('1'));
      const second = mailbox.multicast(message('2'));
      const goodbye = mailbox.disconnect();
      await turn();
      expect(session.sent).toEqual(['multicast 1']);
      await drained();
      await drained();
      await Promise.all([first, second, goodbye]);
      expect(session.sent).toEqual(['multicast 1', 'multicast 2', 'goodbye']);
      expect(session.closed).toBe(true);
    });

    it('leaves its groups first when asked to, in the order of joining', async () => {
      const mailbox = mailboxOf();
      for (const group of ['b', 'a', 'c']) await mailbox.join(group);
      await mailbox.leave('a');
      session.sent.length = 0;
      await mailbox.disconnect({ leaveGroupsFirst: true });
      expect(session.sent).toEqual(['leave b', 'leave c', 'goodbye']);
    });

    it('drops the socket without a word when asked to', async () => {
      const mailbox = mailboxOf();
      await mailbox.join('room');
      session.sent.length = 0;
      await mailbox.disconnect({ abort: true });
      expect(session.sent).toEqual(['abort']);
    });

    it('drops the connection when the goodbye takes too long, whatever it waits for', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const stuck = mailbox.multicast(message('1'));
      const waiting = mailbox.multicast(message('2'));
      await Promise.all([
        mailbox.disconnect(),
        rejectsWith(stuck, { reason: 'MAILBOX_DISCONNECTED' }),
        rejectsWith(waiting, { reason: 'MAILBOX_DISCONNECTED' }),
      ]);
      expect(session.sent.at(-1)).toBe('abort');

      session = new FakeSession(ME);
      session.silent = true;
      await mailboxOf().disconnect();
      expect(session.sent).toEqual(['goodbye', 'abort']);
    });

    it('by Disconnect: the receiver gets what is there and then the end', async () => {
      const mailbox = mailboxOf();
      const receiver = attach(mailbox, {}, false);
      session.deliver(regular('a'));
      await mailbox.disconnect();
      expect(receiver.ends).toEqual([]);
      receiver.takeAll();
      await turn();
      expect(receiver.end).toMatchObject({ reason: 'DISCONNECTED', lastSequence: 1 });
      await rejectsWith(mailbox.join('room'), { reason: 'MAILBOX_DISCONNECTED' });
    });

    it('by a full queue: at once, with what is queued, and with a goodbye to the daemon', async () => {
      const queue = { ...LIMITS.queue, maxEvents: 2, overflow: 'DISCONNECT' as const };
      const mailbox = mailboxOf({ limits: { ...LIMITS, queue } });
      const receiver = attach(mailbox, {}, false);
      session.deliverChunk([regular('a'), regular('b'), regular('c'), regular('d')]);
      expect(mailbox.state).toBe('ENDED');
      receiver.takeAll();
      await turn();
      expect(receiver.sequences).toEqual([1, 2]);
      const metadata = { bound: '2 events' };
      expect(receiver.end).toMatchObject({ reason: 'QUEUE_OVERFLOW', lastSequence: 2, metadata });
      await rejectsWith(mailbox.multicast(message('a')), { reason: 'QUEUE_OVERFLOW' });
      await turn();
      expect(session.sent).toEqual(['goodbye']);
    });

    describe('by a soft limit', () => {
      const queue = { ...LIMITS.queue, maxEvents: 10, softLimit: { fraction: 0.5, timeMs: 10_000 } };
      const limits = { ...LIMITS, leaseMs: 30_000, queue };

      beforeEach(() => {
        vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
      });

      it('says which and for how long, with what is queued, and with a goodbye to the daemon', async () => {
        const mailbox = mailboxOf({ limits });
        const receiver = attach(mailbox, {}, false);
        session.deliverChunk(Array.from({ length: 6 }, () => regular('a')));
        expect(mailbox.snapshot().softLimitEndsAtMs).toBe(Date.now() + 10_000);
        vi.advanceTimersByTime(9999);
        expect(mailbox.state).toBe('OPEN');
        vi.advanceTimersByTime(1);
        expect(mailbox.state).toBe('ENDED');
        expect(ended).toEqual(['SLOW_CONSUMER']);
        expect(mailbox.snapshot().softLimitEndsAtMs).toBeUndefined();
        await turn();
        expect(session.sent).toEqual(['goodbye']);
        receiver.takeAll();
        await turn();
        expect(receiver.sequences).toEqual([1, 2, 3, 4, 5, 6]);
        expect(receiver.end).toEqual({
          reason: 'SLOW_CONSUMER',
          lastSequence: 6,
          message: 'the event queue was above its soft bound of 5 events for 10000 ms',
          metadata: { bound: '5 events', time: '10000 ms' },
        });
        await rejectsWith(mailbox.multicast(message('a')), {
          reason: 'SLOW_CONSUMER',
          metadata: { bound: '5 events', time: '10000 ms', outcome: 'not-sent', last_sequence: '6' },
        });
      });

      it('waits for the receiver as long as it takes something within the lease', async () => {
        const mailbox = mailboxOf({ limits });
        const receiver = attach(mailbox, {}, false);
        session.deliverChunk(Array.from({ length: 6 }, () => regular('a')));
        vi.advanceTimersByTime(10_000);
        for (let i = 0; i < 5; i++) {
          vi.advanceTimersByTime(29_999);
          receiver.attachment!.take(1);
        }
        expect(leaseEnds).toEqual([]);
        vi.advanceTimersByTime(29_999);
        // That others use the mailbox is no taking.
        mailbox.touch();
        expect(leaseEnds).toEqual([]);
        vi.advanceTimersByTime(1);
        expect(leaseEnds).toEqual([mailbox]);
        await mailbox.expire();
        expect(receiver.end).toMatchObject({ reason: 'SLOW_CONSUMER', lastSequence: 6 });
        expect(ended).toEqual(['SLOW_CONSUMER']);
      });

      it('waits no longer once it was let go', async () => {
        const mailbox = mailboxOf({ limits });
        session.deliverChunk(Array.from({ length: 6 }, () => regular('a')));
        vi.advanceTimersByTime(10_000);
        await mailbox.discard();
        vi.advanceTimersByTime(100_000);
        expect(leaseEnds).toEqual([]);
        expect(vi.getTimerCount()).toBe(0);
      });
    });

    it('by a defect: the cause is told to the log only', async () => {
      const defects: unknown[] = [];
      const telemetry = { ...SILENT, defect: (error: unknown) => defects.push(error) };
      const mailbox = mailboxOf({ telemetry });
      const receiver = attach(mailbox);
      const cause = new Error('secret detail');
      session.lose(new SpreadError('SP_BUG', 'an internal error ended the session', { cause }));
      await turn();
      expect(receiver.end).toMatchObject({ reason: 'INTERNAL' });
      expect(JSON.stringify(receiver.end)).not.toContain('secret');
      expect(defects).toEqual([cause]);
    });

    it('an encoder that fails leaves no gap', () => {
      let fails = false;
      const encode: EncodeEvent = (...args) => {
        if (fails) throw new Error('cannot be encoded');
        plainEncode(...args);
      };
      const mailbox = mailboxOf({ encode });
      session.deliver(regular('a'));
      fails = true;
      expect(() => session.deliver(regular('b'))).toThrow('cannot be encoded');
      expect(mailbox.lastSequence).toBe(1);
    });
  });

  describe('a full queue that pauses', () => {
    const queue = { ...LIMITS.queue, maxEvents: 3 };

    it('stops reading, loses nothing, and reads on when there is room', async () => {
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

  describe('the lease', () => {
    it('ends when nothing used the mailbox', () => {
      vi.useFakeTimers();
      const mailbox = mailboxOf();
      vi.advanceTimersByTime(29_999);
      expect(mailbox.snapshot().leaseEndsAtMs).toBe(Date.now() + 1);
      expect(leaseEnds).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(leaseEnds).toEqual([mailbox]);
    });

    it('is renewed by a touch and held by a receiver', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
      const mailbox = mailboxOf();
      vi.advanceTimersByTime(20_000);
      mailbox.touch();
      vi.advanceTimersByTime(20_000);
      expect(leaseEnds).toEqual([]);
      const receiver = attach(mailbox);
      vi.advanceTimersByTime(100_000);
      expect(leaseEnds).toEqual([]);
      expect(mailbox.snapshot()).toMatchObject({ leaseEndsAtMs: undefined, receiverAttached: true });
      receiver.attachment!.detach();
      vi.advanceTimersByTime(29_999);
      expect(leaseEnds).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(leaseEnds).toEqual([mailbox]);
    });

    it('is held by a takeover without a gap', () => {
      vi.useFakeTimers();
      const mailbox = mailboxOf();
      attach(mailbox);
      attach(mailbox);
      vi.advanceTimersByTime(100_000);
      expect(leaseEnds).toEqual([]);
    });

    it('is held by a call that waits and by a stream that sends', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
      const mailbox = mailboxOf();
      const joining = mailbox.join('room', { awaitView: true });
      vi.advanceTimersByTime(100_000);
      session.deliver(view('room', 'JOIN', [ME], [ME]));
      await joining;
      const release = mailbox.hold();
      vi.advanceTimersByTime(100_000);
      expect(leaseEnds).toEqual([]);
      release();
      vi.advanceTimersByTime(30_000);
      expect(leaseEnds).toEqual([mailbox]);
    });

    it('goes on for a mailbox that has ended', () => {
      vi.useFakeTimers();
      const mailbox = mailboxOf();
      session.lose();
      vi.advanceTimersByTime(30_000);
      expect(leaseEnds).toEqual([mailbox]);
    });

    it('ends an open mailbox cleanly', async () => {
      const mailbox = mailboxOf();
      await mailbox.expire();
      expect(session.sent).toEqual(['goodbye']);
      const receiver = attach(mailbox);
      await turn();
      expect(receiver.end).toMatchObject({ reason: 'LEASE_EXPIRED' });
    });
  });

  describe('who waits for the end', () => {
    it('is told once, behind what the end decides about sends', async () => {
      const mailbox = mailboxOf();
      const told: string[] = [];
      mailbox.onEnd((error) => told.push((error as SendFailure).outcome));
      mailbox.onEnd(() => told.push('not this one'))();
      session.takesAtOnce = false;
      mailbox.send(message('x'), (error) => told.push(error ? 'failed' : 'taken'));
      session.lose();
      await turn();
      expect(told).toEqual(['failed', 'not-sent']);
    });

    it('is told soon when that is past, and not when it changes its mind', async () => {
      const mailbox = mailboxOf();
      await mailbox.disconnect();
      const told = vi.fn();
      mailbox.onEnd(told);
      mailbox.onEnd(() => told('not this one'))();
      expect(told).not.toHaveBeenCalled();
      await turn();
      expect(told.mock.calls).toMatchObject([[{ reason: 'MAILBOX_DISCONNECTED' }]]);
    });
  });

  describe('draining', () => {
    it('gives what is queued, reads nothing more, and says goodbye when the receiver is through', async () => {
      const mailbox = mailboxOf();
      const receiver = attach(mailbox, {}, false);
      session.deliver(regular('a'));
      const drained = vi.fn();
      const draining = mailbox.drain().then(drained);
      expect(session.paused).toBe(true);
      session.deliverChunk([regular('late')]);
      await turn();
      expect(drained).not.toHaveBeenCalled();
      expect(session.sent).toEqual([]);
      expect(mailbox.received.regular).toBe(1);
      await rejectsWith(mailbox.multicast(message('x')), { reason: 'DRAINING' });
      receiver.takeAll();
      await draining;
      expect(receiver.sequences).toEqual([1]);
      expect(receiver.end).toMatchObject({ reason: 'DRAINING', lastSequence: 1 });
      expect(session.sent).toEqual(['goodbye']);
    });

    it('goes on without the receiver when its time is over, and tells the last sequence', async () => {
      const mailbox = mailboxOf();
      const receiver = attach(mailbox, {}, false);
      session.deliver(regular('a'));
      const draining = mailbox.drain();
      await turn();
      mailbox.cutReceiver();
      await draining;
      expect(receiver).toMatchObject({ events: [], ends: [{ reason: 'DRAINING', lastSequence: 1 }] });
    });

    it('waits for a receiver that takes over meanwhile', async () => {
      const mailbox = mailboxOf();
      const first = attach(mailbox, {}, false);
      session.deliver(regular('a'));
      const draining = mailbox.drain();
      const second = attach(mailbox, {}, false);
      await turn();
      expect(first.end).toMatchObject({ reason: 'RECEIVER_REPLACED' });
      expect(session.sent).toEqual([]);
      second.takeAll();
      await draining;
      expect(second.end).toMatchObject({ reason: 'DRAINING' });
    });

    it('says goodbye at once when nobody receives', async () => {
      await mailboxOf().drain();
      expect(session.sent).toEqual(['goodbye']);
    });

    it('sends what was accepted before', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const calls = [mailbox.multicast(message('1')), mailbox.multicast(message('2'))];
      const draining = mailbox.drain();
      await drained();
      await drained();
      await Promise.all([...calls, draining]);
      expect(session.sent).toEqual(['multicast 1', 'multicast 2', 'goodbye']);
    });

    it('ends calls that wait', async () => {
      const mailbox = mailboxOf();
      const joining = mailbox.join('room', { awaitView: true });
      void mailbox.drain();
      await rejectsWith(joining, { reason: 'DRAINING' });
    });
  });

  describe('what it holds', () => {
    it('is given back when it is discarded', async () => {
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

    it('is shown whole', async () => {
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
