import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SendFailure } from '../../../server/src/mailbox/end-errors.js';
import type { EncodeEvent } from '../../../server/src/mailbox/event.js';
import { SILENT } from '../../../server/src/mailbox/telemetry.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import { plainEncode, regular, view } from '../../support/mailboxes/plain-events.js';
import {
  attach,
  drained,
  ended,
  LIMITS,
  leaseEnds,
  ME,
  mailboxOf,
  message,
  newSession,
  rejectsWith,
  resetForEachTest,
  session,
  turn,
} from './one-mailbox.js';

describe('Mailbox', () => {
  resetForEachTest();

  describe('the end', () => {
    it('is reported to the receiver after all received events', async () => {
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

    it('keeps the events of a lost daemon for a later receiver', async () => {
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

    it('rejects all calls that need the daemon, with the reason of the end', async () => {
      const mailbox = mailboxOf();
      session.lose();
      const lost = { name: 'SpreadError', code: 'NET_ERROR_ON_SESSION', outcome: 'not-sent' };
      await rejectsWith(mailbox.multicast(message('a')), lost);
      await rejectsWith(mailbox.join('room'), lost);
      await rejectsWith(mailbox.leave('room'), lost);
      expect(() => mailbox.send(message('a'))).toThrow(expect.objectContaining(lost));
      expect(() => mailbox.view('room')).toThrow(expect.objectContaining({ reason: 'NO_VIEW' }));
    });

    it('sends the disconnect message after the send queue', async () => {
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

    it('leaves its groups first if requested, in the order of joining', async () => {
      const mailbox = mailboxOf();
      for (const group of ['b', 'a', 'c']) await mailbox.join(group);
      await mailbox.leave('a');
      session.sent.length = 0;
      await mailbox.disconnect({ leaveGroupsFirst: true });
      expect(session.sent).toEqual(['leave b', 'leave c', 'goodbye']);
    });

    it('closes the socket without a disconnect message if requested', async () => {
      const mailbox = mailboxOf();
      await mailbox.join('room');
      session.sent.length = 0;
      await mailbox.disconnect({ abort: true });
      expect(session.sent).toEqual(['abort']);
    });

    it('closes the connection when the disconnect message takes too long', async () => {
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

      newSession().silent = true;
      await mailboxOf().disconnect();
      expect(session.sent).toEqual(['goodbye', 'abort']);
    });

    it('by Disconnect: the receiver gets the queued events and then the end', async () => {
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

    it('by a full queue: immediately, after the queued events, and with a disconnect message to the daemon', async () => {
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

      it('names the limit and its time, after the queued events, with a disconnect message to the daemon', async () => {
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
          message: 'the event queue exceeded its soft limit of 5 events for 10000 ms',
          metadata: { bound: '5 events', time: '10000 ms' },
        });
        await rejectsWith(mailbox.multicast(message('a')), {
          reason: 'SLOW_CONSUMER',
          metadata: { bound: '5 events', time: '10000 ms', outcome: 'not-sent', last_sequence: '6' },
        });
      });

      it('waits for the receiver while it takes events within the lease', async () => {
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
        // Other uses of the mailbox do not count as receiving.
        mailbox.touch();
        expect(leaseEnds).toEqual([]);
        vi.advanceTimersByTime(1);
        expect(leaseEnds).toEqual([mailbox]);
        await mailbox.expire();
        expect(receiver.end).toMatchObject({ reason: 'SLOW_CONSUMER', lastSequence: 6 });
        expect(ended).toEqual(['SLOW_CONSUMER']);
      });

      it('does not wait after a detach', async () => {
        const mailbox = mailboxOf({ limits });
        session.deliverChunk(Array.from({ length: 6 }, () => regular('a')));
        vi.advanceTimersByTime(10_000);
        await mailbox.discard();
        vi.advanceTimersByTime(100_000);
        expect(leaseEnds).toEqual([]);
        expect(vi.getTimerCount()).toBe(0);
      });
    });

    it('by an unexpected error: only the log has the cause', async () => {
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

  describe('the lease', () => {
    it('expires when the mailbox was not used', () => {
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

    it('is held by a waiting call and by a stream that sends', async () => {
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

    it('continues for a mailbox that has ended', () => {
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

  describe('a listener of the end', () => {
    it('is notified once, after the outcomes of sends', async () => {
      const mailbox = mailboxOf();
      const reported: string[] = [];
      mailbox.onEnd((error) => reported.push((error as SendFailure).outcome));
      mailbox.onEnd(() => reported.push('not this one'))();
      session.takesAtOnce = false;
      mailbox.send(message('x'), (error) => reported.push(error ? 'failed' : 'taken'));
      session.lose();
      await turn();
      expect(reported).toEqual(['failed', 'not-sent']);
    });

    it('is notified soon after a past end, and not after it was removed', async () => {
      const mailbox = mailboxOf();
      await mailbox.disconnect();
      const reported = vi.fn();
      mailbox.onEnd(reported);
      mailbox.onEnd(() => reported('not this one'))();
      expect(reported).not.toHaveBeenCalled();
      await turn();
      expect(reported.mock.calls).toMatchObject([[{ reason: 'MAILBOX_DISCONNECTED' }]]);
    });
  });

  describe('draining', () => {
    it('delivers queued events, reads nothing more, and disconnects when the receiver has everything', async () => {
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

    it('continues without the receiver when its time has passed, and reports the last sequence', async () => {
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

    it('disconnects immediately without a receiver', async () => {
      await mailboxOf().drain();
      expect(session.sent).toEqual(['goodbye']);
    });

    it('sends accepted messages', async () => {
      const mailbox = mailboxOf();
      session.full = true;
      const calls = [mailbox.multicast(message('1')), mailbox.multicast(message('2'))];
      const draining = mailbox.drain();
      await drained();
      await drained();
      await Promise.all([...calls, draining]);
      expect(session.sent).toEqual(['multicast 1', 'multicast 2', 'goodbye']);
    });

    it('ends waiting calls', async () => {
      const mailbox = mailboxOf();
      const joining = mailbox.join('room', { awaitView: true });
      void mailbox.drain();
      await rejectsWith(joining, { reason: 'DRAINING' });
    });
  });
});
