import { describe, expect, it, vi } from 'vitest';
import type { Mailbox } from '../../../../server/src/mailbox/mailbox.js';
import { EVENT_OVERHEAD_BYTES } from '../../../../server/src/mailbox/queue/event-log.js';
import { SILENT } from '../../../../server/src/mailbox/telemetry.js';
import { regular } from '../../../support/mailboxes/plain-events.js';
import { until } from '../../../support/until.js';
import {
  attach,
  connect,
  daemons,
  registryOf,
  rejectsWith,
  resetForEachTest,
  turn,
} from './test-registry.js';

describe('MailboxRegistry', () => {
  resetForEachTest();

  describe('finding', () => {
    it.each(['', 'x', '0'.repeat(32), '__proto__', 'm1'])('does not find %j', (id) => {
      const find = () => registryOf().get(id);
      expect(find).toThrow(expect.objectContaining({ name: 'SpreadError', code: 'ILLEGAL_SESSION' }));
    });

    it('counts as a use of the mailbox', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const mailbox = await connect(registry);
      for (let i = 0; i < 5; i++) {
        vi.advanceTimersByTime(20_000);
        expect(registry.get(mailbox.id)).toBe(mailbox);
      }
    });

    it('reports to a late client that the lease has expired, and the last sequence', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const mailbox = await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      vi.advanceTimersByTime(30_000);
      expect(() => registry.get(mailbox.id)).toThrow(
        expect.objectContaining({ reason: 'LEASE_EXPIRED', metadata: { last_sequence: '1' } }),
      );
      await turn();
      expect(daemons.sessions[0]!.sent).toEqual(['goodbye']);
      expect(registry.sizes()).toMatchObject({ open: 0, ended: 0, retainedBytes: 0 });
      expect(await registry.disconnect(mailbox.id)).toBe(false);
    });

    it('remembers a limited number of those', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf({ maxMailboxes: 5_000 });
      const mailboxes: Mailbox[] = [];
      for (let i = 0; i < 1_001; i++) mailboxes.push(await connect(registry));
      vi.advanceTimersByTime(30_000);
      const codeOf = (mailbox: Mailbox) => {
        try {
          return registry.get(mailbox.id);
        } catch (error) {
          return (error as { reason?: string; code?: string }).reason ?? (error as { code: string }).code;
        }
      };
      expect(codeOf(mailboxes[0]!)).toBe('ILLEGAL_SESSION');
      expect(codeOf(mailboxes[1]!)).toBe('LEASE_EXPIRED');
      expect(codeOf(mailboxes[1_000]!)).toBe('LEASE_EXPIRED');
    });

    it('keeps the events of a lost daemon until the lease ends', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const mailbox = await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      daemons.sessions[0]!.lose();
      vi.advanceTimersByTime(29_000);
      expect(registry.get(mailbox.id).poll()).toMatchObject({ state: 'ENDED', waitingEvents: 1 });
      vi.advanceTimersByTime(30_000);
      expect(() => registry.get(mailbox.id)).toThrow(expect.objectContaining({ reason: 'LEASE_EXPIRED' }));
      expect(registry.sizes().retainedBytes).toBe(0);
    });
  });

  describe('listing', () => {
    it('returns pages in the order of opening, stable while mailboxes open and end', async () => {
      const registry = registryOf();
      const mailboxes: Mailbox[] = [];
      for (let i = 0; i < 5; i++) mailboxes.push(await connect(registry, { privateName: `n${i}` }));
      const page = (pageToken: string) => {
        const { mailboxes: found, nextPageToken } = registry.list({ pageSize: 2, pageToken });
        return { names: found.map((mailbox) => mailbox.privateGroup), nextPageToken };
      };
      const first = page('');
      expect(first.names).toEqual(['#n0#test', '#n1#test']);
      await registry.disconnect(mailboxes[1]!.id);
      await registry.disconnect(mailboxes[2]!.id);
      await connect(registry, { privateName: 'n5' });
      const second = page(first.nextPageToken);
      expect(second.names).toEqual(['#n3#test', '#n4#test']);
      const third = page(second.nextPageToken);
      expect(third).toEqual({ names: ['#n5#test'], nextPageToken: '' });
    });

    it('has no next page when a page is exactly full', async () => {
      const registry = registryOf();
      await connect(registry);
      await connect(registry);
      expect(registry.list({ pageSize: 2, pageToken: '' })).toMatchObject({ nextPageToken: '' });
    });

    it('shows no ID and renews no lease', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const mailbox = await connect(registry);
      vi.advanceTimersByTime(20_000);
      const { mailboxes } = registry.list({ pageSize: 0, pageToken: '' });
      expect(mailboxes).toHaveLength(1);
      expect(JSON.stringify(mailboxes)).not.toContain(mailbox.id);
      vi.advanceTimersByTime(10_000);
      expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toEqual([]);
    });

    it.each([-1, 1_001, 1.5])('rejects a page size of %d', (pageSize) => {
      expect(() => registryOf().list({ pageSize, pageToken: '' })).toThrow(
        expect.objectContaining({
          reason: 'LIMIT_OUT_OF_RANGE',
          metadata: { field: 'page_size', bound: expect.stringContaining('1 to 1000') },
        }),
      );
    });

    it.each(['1', 'x', 'm', 'm1x', 'm99999999999999999999'])('rejects the token %j', (pageToken) => {
      expect(() => registryOf().list({ pageSize: 1, pageToken })).toThrow(
        expect.objectContaining({
          reason: 'FIELD_INVALID',
          metadata: expect.objectContaining({ field: 'page_token' }),
        }),
      );
    });
  });

  describe('disconnecting', () => {
    it('reports whether this call ended it; a second call is no error', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      const [first, second] = await Promise.all([
        registry.disconnect(mailbox.id),
        registry.disconnect(mailbox.id),
      ]);
      expect([first, second, await registry.disconnect('nobody')]).toEqual([true, false, false]);
      expect(daemons.sessions[0]!.closed).toBe(true);
      expect(() => registry.get(mailbox.id)).toThrow(expect.objectContaining({ code: 'ILLEGAL_SESSION' }));
    });

    it('of a mailbox that had ended frees it, but has not ended it', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      daemons.sessions[0]!.lose();
      expect(registry.sizes()).toMatchObject({ open: 0, ended: 1 });
      expect(await registry.disconnect(mailbox.id)).toBe(false);
      expect(registry.sizes()).toMatchObject({ ended: 0, retainedBytes: 0 });
    });

    it('rejects leaving groups without a disconnect message', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      await rejectsWith(registry.disconnect(mailbox.id, { leaveGroupsFirst: true, abort: true }), {
        reason: 'FIELD_INVALID',
        metadata: { field: 'leave_groups_first', bound: expect.any(String) },
      });
      expect(registry.get(mailbox.id)).toBe(mailbox);
    });
  });

  describe('draining', () => {
    it('delivers queued events to receivers, notifies them, and disconnects from every daemon', async () => {
      const registry = registryOf();
      const receiver = attach(await connect(registry), false);
      await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      const drained = vi.fn();
      const draining = registry.drain({ graceMs: 10_000 }).then(drained);
      await turn();
      expect(drained).not.toHaveBeenCalled();
      expect(daemons.sessions[1]!.sent).toEqual(['goodbye']);
      receiver.takeAll();
      await draining;
      expect(receiver).toMatchObject({ sequences: [1], ends: [{ reason: 'DRAINING', lastSequence: 1 }] });
      expect(daemons.sessions[0]!.sent).toEqual(['goodbye']);
      expect(registry.sizes()).toMatchObject({ open: 0, ended: 0, retainedBytes: 0 });
    });

    it('does not wait longer than the grace period', async () => {
      const registry = registryOf();
      const receiver = attach(await connect(registry), false);
      daemons.sessions[0]!.deliver(regular('a'));
      await registry.drain({ graceMs: 20 });
      expect(receiver).toMatchObject({ events: [], ends: [{ reason: 'DRAINING', lastSequence: 1 }] });
    });

    it('does not wait longer than the grace period for receivers that attach during the drain', async () => {
      const registry = registryOf();
      const unattended = await connect(registry);
      const slow = attach(await connect(registry), false);
      for (const session of daemons.sessions) session.deliver(regular('a'));
      const draining = registry.drain({ graceMs: 200 });
      await turn();
      expect(daemons.sessions[0]!.sent).toEqual(['goodbye']);
      const late = attach(registry.get(unattended.id), false);
      // The receiver for which the drain has waited so far.
      slow.takeAll();
      await draining;
      expect(late).toMatchObject({ events: [], ends: [{ reason: 'DRAINING', lastSequence: 1 }] });
    });

    it('immediately ends a receiver that attaches after the grace period', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      const slow = attach(mailbox, false);
      daemons.sessions[0]!.deliver(regular('a'));
      // The disconnect message takes long.
      daemons.sessions[0]!.silent = true;
      const draining = registry.drain({ graceMs: 20 });
      await until(() => slow.end !== undefined, { what: 'the grace is over' });
      const late = attach(registry.get(mailbox.id));
      await turn();
      expect(late).toMatchObject({ events: [], ends: [{ reason: 'DRAINING' }] });
      daemons.sessions[0]!.abort();
      await draining;
    });

    it('keeps no mailbox that a daemon accepts in the turn in which the drain begins', async () => {
      for (let microtasks = 0; microtasks < 20; microtasks++) {
        const registry = registryOf();
        let draining: Promise<void> | undefined;
        daemons.onSession = async () => {
          for (let i = 0; i < microtasks; i++) await undefined;
          draining = registry.drain({ graceMs: 0 });
        };
        await connect(registry).catch((error) => expect(error).toMatchObject({ reason: 'DRAINING' }));
        await turn();
        await draining;
        expect(registry.size).toBe(0);
        expect(daemons.sessions.every((session) => session.closed)).toBe(true);
      }
    });

    it('does not wait longer than the grace period for the receiver of a mailbox that was disconnected', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      const receiver = attach(mailbox, false);
      daemons.sessions[0]!.deliver(regular('a'));
      await registry.disconnect(mailbox.id);
      await registry.drain({ graceMs: 20 });
      expect(receiver.ends).toMatchObject([{ reason: 'DRAINING' }]);
    });

    it('opens no more mailboxes, and cancels active attempts', async () => {
      const registry = registryOf();
      daemons.answer = () => 'silence';
      const connecting = rejectsWith(connect(registry), { reason: 'DRAINING' });
      await turn();
      await registry.drain({ graceMs: 0 });
      await connecting;
      await rejectsWith(connect(registry), { reason: 'DRAINING' });
    });

    it('leaves no timer', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      await connect(registry);
      await registry.drain({ graceMs: 10_000 });
      expect(vi.getTimerCount()).toBe(0);
    });

    it('supports very many mailboxes', async () => {
      const warned = vi.fn();
      process.on('warning', warned);
      const registry = registryOf();
      for (let i = 0; i < 300; i++) attach(await connect(registry), false);
      await registry.drain({ graceMs: 5 });
      await turn();
      process.off('warning', warned);
      expect(warned).not.toHaveBeenCalled();
      expect(daemons.sessions.every((session) => session.closed)).toBe(true);
    });
  });

  describe('totals', () => {
    it('are the sums over all mailboxes, including counters of ended ones', async () => {
      const registry = registryOf();
      const one = await connect(registry);
      const two = await connect(registry);
      attach(one);
      daemons.sessions[0]!.deliver(regular('a'));
      daemons.sessions[1]!.deliver(regular('b'));
      daemons.sessions[1]!.deliver(regular('c'));
      await one.multicast({
        serviceType: 'FIFO',
        selfDiscard: false,
        groups: ['room'],
        messageType: 0,
        payload: Buffer.from('hello'),
      });
      expect(registry.sizes()).toMatchObject({
        open: 2,
        ended: 0,
        receivers: 1,
        paused: 0,
        waitingEvents: 2,
        waitingBytes: two.poll().waitingBytes,
        // Three events are retained.
        retainedBytes: one.snapshot().retainedBytes + two.snapshot().retainedBytes + 3 * EVENT_OVERHEAD_BYTES,
        sendQueueBytes: 0,
      });
      const before = registry.totals();
      expect(before).toMatchObject({ eventsGiven: 1, messagesSent: 1, payloadBytesSent: 5 });
      expect(before.received.regular).toBe(3);
      await registry.disconnect(one.id);
      await registry.disconnect(two.id);
      await until(() => registry.sizes().retainedBytes === 0);
      expect(registry.totals()).toEqual(before);
    });

    it('report the events of each mailbox, without the secret', async () => {
      const reported: string[] = [];
      const registry = registryOf(
        {},
        {
          telemetry: {
            ...SILENT,
            opened: (mailbox) => reported.push(`opened ${mailbox.displayId} ${mailbox.privateGroup}`),
            ended: (mailbox, reason) => reported.push(`ended ${mailbox.displayId} ${reason}`),
          },
        },
      );
      const mailbox = await connect(registry);
      await registry.disconnect(mailbox.id);
      expect(reported).toEqual(['opened m1 #me#test', 'ended m1 DISCONNECTED']);
    });
  });
});
