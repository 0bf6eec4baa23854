import { describe, expect, it, vi } from 'vitest';
import type { Mailbox } from '../../../../server/src/mailbox/mailbox.js';
import type { MailboxRegistry } from '../../../../server/src/mailbox/registry/registry.js';
import { regular } from '../../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';
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

  describe('a mailbox that was ended for a receiver that stalled', () => {
    const stalled = async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const queue = { maxEvents: 10, softLimit: { fraction: 0.5, timeMs: 1000 } };
      const mailbox = await connect(registry, { queue });
      const receiver = attach(mailbox, false);
      daemons.sessions[0]!.deliverChunk(Array.from({ length: 10 }, () => regular('a')));
      vi.advanceTimersByTime(1000);
      return { registry, mailbox, receiver };
    };

    it('releases its memory when its lease expires, even if the receiver is still attached', async () => {
      const { registry, mailbox, receiver } = await stalled();
      expect(registry.sizes()).toMatchObject({ open: 0, ended: 1, receivers: 1 });
      vi.advanceTimersByTime(29_999);
      // A call of the client does not count as receiving.
      expect(registry.get(mailbox.id).state).toBe('ENDED');
      expect(registry.sizes().retainedBytes).toBeGreaterThan(0);
      vi.advanceTimersByTime(1);
      await turn();
      expect(receiver.end).toMatchObject({ reason: 'SLOW_CONSUMER', lastSequence: 10 });
      expect(registry.sizes()).toMatchObject({ ended: 0, receivers: 0, retainedBytes: 0 });
      expect(() => registry.get(mailbox.id)).toThrow(
        expect.objectContaining({ reason: 'LEASE_EXPIRED', metadata: { last_sequence: '10' } }),
      );
    });

    it('is emptied by a receiver that continues in time', async () => {
      const { registry, receiver } = await stalled();
      vi.advanceTimersByTime(29_999);
      receiver.takeAll();
      await turn();
      expect(receiver.sequences).toHaveLength(10);
      expect(receiver.end).toMatchObject({ reason: 'SLOW_CONSUMER', lastSequence: 10 });
      vi.advanceTimersByTime(30_000);
      expect(registry.sizes()).toMatchObject({ ended: 0, retainedBytes: 0 });
    });
  });

  describe('a mailbox whose receiver stalls when the mailbox ends', () => {
    const ENDS: [how: string, end: (registry: MailboxRegistry, mailbox: Mailbox) => unknown][] = [
      ['Disconnect', (registry, { id }) => registry.disconnect(id)],
      [
        'Disconnect with leave_groups_first',
        (registry, { id }) => registry.disconnect(id, { leaveGroupsFirst: true }),
      ],
      ['Disconnect with abort', (registry, { id }) => registry.disconnect(id, { abort: true })],
      ['the loss of the daemon', () => daemons.sessions[0]!.lose()],
      [
        'the loss of the daemon, and Disconnect',
        (registry, { id }) => {
          daemons.sessions[0]!.lose();
          return registry.disconnect(id);
        },
      ],
      [
        'a full queue',
        () => daemons.sessions[0]!.deliverChunk(Array.from({ length: 20 }, () => regular('a'))),
      ],
    ];

    const stalled = async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf({ maxMailboxes: 1 });
      const mailbox = await connect(registry, { queue: { maxEvents: 10, overflow: 'DISCONNECT' } });
      const receiver = attach(mailbox, false);
      daemons.sessions[0]!.deliver(regular('a'));
      return { registry, mailbox, receiver };
    };

    it.each(ENDS)(
      'by %s keeps its slot and its bytes for one lease, then loses the receiver',
      async (_, end) => {
        const { registry, mailbox, receiver } = await stalled();
        await end(registry, mailbox);
        await turn();
        vi.advanceTimersByTime(29_999);
        await turn();
        expect(receiver.ends).toEqual([]);
        expect(registry.size).toBe(1);
        expect(registry.sizes().retainedBytes).toBeGreaterThan(0);
        expect([...registry.statuses()]).toHaveLength(1);
        vi.advanceTimersByTime(1);
        await turn();
        expect(receiver.ends).toHaveLength(1);
        expect(receiver.end?.reason).not.toBe('DISCONNECTED');
        expect(registry.size).toBe(0);
        expect(registry.sizes()).toMatchObject({ ended: 0, leaving: 0, receivers: 0, retainedBytes: 0 });
        expect([...registry.statuses()]).toEqual([]);
      },
    );

    it.each(ENDS)('by %s waits while the receiver takes events', async (_, end) => {
      const { registry, mailbox, receiver } = await stalled();
      daemons.sessions[0]!.deliver(regular('b'));
      receiver.attachment!.inTransit(100);
      await end(registry, mailbox);
      await turn();
      vi.advanceTimersByTime(29_999);
      receiver.attachment!.inTransit(-100);
      vi.advanceTimersByTime(29_999);
      receiver.takeAll();
      await turn();
      expect(receiver.sequences.slice(0, 2)).toEqual([1, 2]);
      expect(receiver.ends).toMatchObject([{ lastSequence: receiver.sequences.length }]);
      vi.advanceTimersByTime(60_000);
      await turn();
      expect(registry.sizes().retainedBytes).toBe(0);
    });

    it('releases the bytes in a transport after one lease, and keeps the slot until they are gone', async () => {
      const { registry, mailbox, receiver } = await stalled();
      receiver.takeAll();
      receiver.attachment!.inTransit(100);
      await registry.disconnect(mailbox.id);
      await turn();
      expect(receiver.ends).toMatchObject([{ reason: 'DISCONNECTED' }]);
      expect(registry.sizes()).toMatchObject({ leaving: 1, receivers: 0, retainedBytes: 100 });
      vi.advanceTimersByTime(29_999);
      expect(receiver.abandons).toBe(0);
      vi.advanceTimersByTime(1);
      expect(receiver.abandons).toBe(1);
      expect(registry.size).toBe(1);
      receiver.attachment!.inTransit(-100);
      await turn();
      expect(registry.size).toBe(0);
    });

    it('abandons the transport of a replaced receiver when the next one is replaced too', async () => {
      const { mailbox, receiver: first } = await stalled();
      const second = new RecordingReceiver(false);
      first.attachment!.inTransit(100);
      second.attachment = mailbox.attach({}, second);
      second.attachment.inTransit(100);
      expect(first).toMatchObject({ ends: [{ reason: 'RECEIVER_REPLACED' }], abandons: 0 });
      attach(mailbox);
      expect([first.abandons, second.abandons]).toEqual([1, 0]);
    });

    it('delays a Connect that needs its slot for at most a second', async () => {
      const { registry, mailbox, receiver } = await stalled();
      await registry.disconnect(mailbox.id);
      const refused = rejectsWith(connect(registry), { reason: 'TOO_MANY_MAILBOXES' });
      await turn();
      vi.advanceTimersByTime(1000);
      await refused;
      const waiting = connect(registry);
      await turn();
      receiver.takeAll();
      await waiting;
      expect(registry.sizes()).toMatchObject({ open: 1, leaving: 0 });
    });
  });
});
