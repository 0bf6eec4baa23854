import { SelfLeaveMessage, SpreadError } from 'spread-sidecar-client';
import { describe, expect, it, vi } from 'vitest';
import { EventBuffer } from '../../../clients/typescript/src/event-buffer.js';
import { Inbox } from '../../../clients/typescript/src/inbox.js';

const event = (name: string) => new SelfLeaveMessage(name);
const limits = { maxEvents: 4, maxBytes: 1 << 20 };

describe('EventBuffer', () => {
  it('keeps the order over any mix of pushes and shifts', () => {
    const buffer = new EventBuffer(10, 1000);
    let pushed = 0;
    let shifted = 0;
    for (let round = 0; round < 200; round += 1) {
      for (let i = 0; i < round % 7; i += 1) buffer.push(event(String(pushed++)));
      for (let i = 0; i < round % 5 && buffer.size > 0; i += 1)
        expect((buffer.shift() as SelfLeaveMessage).group).toBe(String(shifted++));
      expect(buffer.size).toBe(pushed - shifted);
    }
    while (buffer.size > 0) expect((buffer.shift() as SelfLeaveMessage).group).toBe(String(shifted++));
    expect(buffer.shift()).toBeUndefined();
    expect(shifted).toBe(pushed);
  });

  it('is full at its limit of events or bytes, and has room at half of both', () => {
    const byCount = new EventBuffer(4, 1 << 20);
    for (let i = 0; i < 3; i += 1) byCount.push(event('x'));
    expect([byCount.full, byCount.hasRoom]).toEqual([false, false]);
    byCount.push(event('x'));
    expect(byCount.full).toBe(true);
    byCount.shift();
    byCount.shift();
    expect([byCount.full, byCount.hasRoom]).toEqual([false, true]);
    const byBytes = new EventBuffer(1000, 200);
    byBytes.push(event('x'));
    expect(byBytes.full).toBe(false);
    byBytes.push(event('x'));
    expect(byBytes.full).toBe(true);
  });
});

describe('Inbox', () => {
  it('serves concurrent calls in the order of the calls', async () => {
    const inbox = new Inbox(limits);
    const waiting = Promise.all([inbox.take({}), inbox.take({})]);
    inbox.push(event('a'));
    inbox.push(event('b'));
    expect((await waiting).map((e) => (e as SelfLeaveMessage).group)).toEqual(['a', 'b']);
  });

  it('fails after the timeout, and keeps the event for the next call', async () => {
    const inbox = new Inbox(limits);
    await expect(inbox.take({ timeoutMs: 5 })).rejects.toMatchObject({ statusName: 'DEADLINE_EXCEEDED' });
    inbox.push(event('a'));
    expect(await inbox.take({ timeoutMs: 5 })).toMatchObject({ group: 'a' });
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('rejects a timeout of %d ms', async (timeoutMs) => {
    await expect(new Inbox(limits).take({ timeoutMs })).rejects.toMatchObject({
      statusName: 'INVALID_ARGUMENT',
      metadata: { field: 'timeoutMs' },
    });
  });

  it('is cancelled by the signal, before and during the wait', async () => {
    const inbox = new Inbox(limits);
    const controller = new AbortController();
    const waiting = inbox.take({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toMatchObject({ statusName: 'CANCELLED', cause: new Error('enough') });
    await expect(inbox.take({ signal: controller.signal })).rejects.toMatchObject({
      statusName: 'CANCELLED',
    });
    inbox.push(event('a'));
    expect(inbox.size).toBe(1);
  });

  it('returns its events after its end, and then the end, to every call', async () => {
    const inbox = new Inbox(limits);
    inbox.push(event('a'));
    inbox.end(new SpreadError('over', { status: 10, reason: 'LEASE_EXPIRED' }));
    inbox.end(undefined);
    inbox.push(event('too late'));
    expect(await inbox.take({})).toMatchObject({ group: 'a' });
    await expect(inbox.take({})).rejects.toMatchObject({ reason: 'LEASE_EXPIRED' });
    await expect(inbox.take({})).rejects.toMatchObject({ reason: 'LEASE_EXPIRED' });
  });

  it('ends waiting calls', async () => {
    const inbox = new Inbox(limits);
    const waiting = inbox.take({});
    inbox.end(undefined);
    await expect(waiting).rejects.toMatchObject({ code: 'ILLEGAL_SESSION', number: -11 });
  });

  it('reports when there is room again', () => {
    const inbox = new Inbox(limits);
    inbox.onRoom = vi.fn();
    for (let i = 0; i < 4; i += 1) inbox.push(event('x'));
    expect(inbox.full).toBe(true);
    inbox.shift();
    expect(inbox.onRoom).not.toHaveBeenCalled();
    inbox.shift();
    expect(inbox.onRoom).toHaveBeenCalled();
  });
});
