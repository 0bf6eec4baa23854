import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from '../../../../server/src/mailbox/outbound/outbox.js';
import { FakeSession } from '../../../support/mailboxes/fake-session.js';

const message = (payload: string) => ({
  serviceType: 'AGREED' as const,
  selfDiscard: false,
  groups: ['room'],
  messageType: 0,
  payload: Buffer.from(payload),
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Outbox', () => {
  let session: FakeSession;
  let outbox: Outbox;
  let checked: string[];
  /** The kernel accepts everything, and the turn of the event loop ends. */
  const drained = async () => {
    session.drain();
    await turn();
  };
  beforeEach(() => {
    session = new FakeSession();
    session.start({ onMessage: () => {}, onClose: () => {}, onDrain: () => outbox.onDrain() });
    session.takesAtOnce = false;
    checked = [];
    outbox = new Outbox(
      session,
      (given) => {
        checked.push(given.payload.toString());
        if (given.payload.toString() === 'bad') throw new Error('refused');
      },
      1000,
    );
  });

  it('immediately passes on what the session accepts', async () => {
    expect(outbox.multicast(message('a'))).toBeUndefined();
    outbox.request({ kind: 'join', group: 'room' });
    outbox.request({ kind: 'leave', group: 'room' });
    expect(session.sent).toEqual(['multicast a', 'join room', 'leave room']);
    expect(outbox.isFull).toBe(false);
    expect(checked).toEqual([]);
  });

  it('keeps one order over messages, joins and leaves while the session is full', async () => {
    session.full = true;
    outbox.multicast(message('a'));
    expect(outbox.isFull).toBe(true);
    outbox.multicast(message('b'));
    outbox.request({ kind: 'join', group: 'room' });
    outbox.multicast(message('c'));
    outbox.request({ kind: 'leave', group: 'room' });
    expect(session.sent).toEqual(['multicast a']);
    await drained();
    expect(session.sent).toEqual(['multicast a', 'multicast b', 'join room', 'multicast c', 'leave room']);
    expect(outbox.queuedBytes).toBe(session.bufferedBytes);
  });

  it('stops when the session is full again', async () => {
    session.full = true;
    for (const payload of ['a', 'b', 'c', 'd']) outbox.multicast(message(payload));
    session.full = true;
    outbox.onDrain();
    await turn();
    expect(session.sent).toEqual(['multicast a', 'multicast b']);
    await drained();
    expect(session.sent).toEqual(['multicast a', 'multicast b', 'multicast c', 'multicast d']);
  });

  it('reports when the kernel accepted the bytes, not before', async () => {
    const taken = vi.fn();
    session.full = true;
    outbox.multicast(message('a'), taken);
    outbox.multicast(message('b'), taken);
    expect(taken).not.toHaveBeenCalled();
    await drained();
    expect(taken).toHaveBeenCalledTimes(1);
    await drained();
    expect(taken).toHaveBeenCalledTimes(2);
    expect(taken).toHaveBeenCalledWith();
  });

  it('rejects a queued message in the same way as the session', async () => {
    session.full = true;
    outbox.multicast(message('a'));
    expect(() => outbox.multicast(message('bad'))).toThrow('refused');
    await drained();
    expect(session.sent).toEqual(['multicast a']);
  });

  it('limits the bytes here and in the session together', async () => {
    session.full = true;
    outbox.multicast(message('x'.repeat(300)));
    outbox.multicast(message('x'.repeat(380)));
    expect(outbox.queuedBytes).toBe(380 + 460);
    expect(() => outbox.multicast(message('x'.repeat(81)))).toThrow(
      expect.objectContaining({
        reason: 'SEND_QUEUE_FULL',
        metadata: { limit: 'mailbox.sendQueueMaxBytes', bound: '1000 bytes', outcome: 'not-sent' },
      }),
    );
    outbox.multicast(message('x'.repeat(80)));
    expect(() => outbox.request({ kind: 'join', group: 'room' })).toThrow(
      expect.objectContaining({ reason: 'SEND_QUEUE_FULL' }),
    );
    await drained();
    await drained();
    outbox.request({ kind: 'join', group: 'room' });
  });

  it('accepts a single message that is larger than the limit', async () => {
    outbox.multicast(message('x'.repeat(5000)));
    expect(session.sent).toHaveLength(1);
  });

  it('cancels queued messages, and none that was passed on', async () => {
    session.full = true;
    const taken = vi.fn();
    outbox.multicast(message('a'));
    const b = outbox.multicast(message('b'), taken)!;
    const c = outbox.multicast(message('c'))!;
    expect(b()).toBe(true);
    expect(b()).toBe(false);
    expect(outbox.queuedBytes).toBe(81 + 81);
    await drained();
    expect(session.sent).toEqual(['multicast a', 'multicast c']);
    expect(c()).toBe(false);
    expect(taken).not.toHaveBeenCalled();
  });

  it('calls waiting senders one after the other, until it is full again', async () => {
    session.full = true;
    outbox.multicast(message('a'));
    const called: string[] = [];
    outbox.onRoom(() => {
      called.push('first');
      session.full = true;
      outbox.multicast(message('b'));
    });
    outbox.onRoom(() => called.push('second'));
    await Promise.resolve();
    expect(called).toEqual([]);
    await drained();
    expect(called).toEqual(['first']);
    await drained();
    expect(called).toEqual(['first', 'second']);
  });

  it('calls a sender back also when there is room already', async () => {
    const called = vi.fn();
    outbox.onRoom(called);
    await Promise.resolve();
    expect(called).toHaveBeenCalledTimes(1);
  });

  it('keeps the order of queued messages, also for sends within a callback', async () => {
    session.full = true;
    outbox.multicast(message('a'), () => outbox.multicast(message('late')));
    outbox.multicast(message('b'));
    outbox.multicast(message('c'));
    await drained();
    expect(session.sent).toEqual(['multicast a', 'multicast b', 'multicast c', 'multicast late']);
  });

  it('keeps the order while it passes on queued messages', async () => {
    session.full = true;
    outbox.multicast(message('a'));
    outbox.multicast(message('b'), () => outbox.multicast(message('late')));
    outbox.multicast(message('c'));
    const send = session.multicast.bind(session);
    session.multicast = (given, onTaken) => {
      if (given.payload.toString() === 'b') throw new Error('refused after all');
      return send(given, onTaken);
    };
    await drained();
    expect(session.sent).toEqual(['multicast a', 'multicast c', 'multicast late']);
  });

  it('is idle when the last queued message is cancelled', async () => {
    session.full = true;
    outbox.multicast(message('a'));
    const withdraw = outbox.multicast(message('b'))!;
    const idle = vi.fn();
    outbox.whenIdle(idle);
    withdraw();
    expect(idle).toHaveBeenCalledTimes(1);
  });

  it('fails all queued messages, notifies waiting senders, and reports that nothing was sent', async () => {
    session.full = true;
    outbox.multicast(message('a'));
    const taken = vi.fn();
    const room = vi.fn();
    const idle = vi.fn();
    outbox.multicast(message('b'), taken);
    outbox.onRoom(room);
    outbox.whenIdle(idle);
    expect(idle).not.toHaveBeenCalled();
    outbox.fail((outcome) => new Error(outcome));
    expect(taken).toHaveBeenCalledWith(new Error('not-sent'));
    expect(room).toHaveBeenCalledTimes(1);
    expect(idle).toHaveBeenCalledTimes(1);
  });

  it('reports when nothing is queued any more', async () => {
    const idle = vi.fn();
    outbox.whenIdle(idle);
    expect(idle).toHaveBeenCalledTimes(1);
    session.full = true;
    outbox.multicast(message('a'));
    outbox.multicast(message('b'));
    outbox.whenIdle(idle);
    expect(idle).toHaveBeenCalledTimes(1);
    await drained();
    expect(idle).toHaveBeenCalledTimes(2);
  });

  it('continues only in the next turn, so that input is read in between', async () => {
    session.full = true;
    outbox.multicast(message('a'));
    outbox.multicast(message('b'));
    session.drain();
    outbox.multicast(message('c'));
    await Promise.resolve();
    expect(session.sent).toEqual(['multicast a']);
    await turn();
    expect(session.sent).toEqual(['multicast a', 'multicast b', 'multicast c']);
  });

  it('counts the messages that it passed on', async () => {
    session.full = true;
    outbox.multicast(message('abc'));
    outbox.multicast(message('de'));
    outbox.request({ kind: 'join', group: 'room' });
    expect(outbox).toMatchObject({ messagesSent: 1, payloadBytesSent: 3 });
    await drained();
    expect(outbox).toMatchObject({ messagesSent: 2, payloadBytesSent: 5 });
  });
});
