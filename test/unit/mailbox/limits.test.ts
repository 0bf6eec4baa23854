import { afterEach, describe, expect, it } from 'vitest';
import type { Mailbox } from '../../../server/src/mailbox/mailbox.js';
import type { QueueLimits } from '../../../server/src/mailbox/mailbox-types.js';
import { Outbox } from '../../../server/src/mailbox/outbound/outbox.js';
import { ByteBudget } from '../../../server/src/mailbox/queue/byte-budget.js';
import { EVENT_OVERHEAD_BYTES } from '../../../server/src/mailbox/queue/event-log.js';
import { MailboxRegistry } from '../../../server/src/mailbox/registry/registry.js';
import type { MailboxSettings } from '../../../server/src/mailbox/settings.js';
import { FakeDaemons } from '../../support/mailboxes/fake-daemons.js';
import { FakeSession } from '../../support/mailboxes/fake-session.js';
import { mailboxSettings } from '../../support/mailboxes/mailbox-settings.js';
import { plainEncode, regular } from '../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../support/mailboxes/recording-receiver.js';

const registries: MailboxRegistry[] = [];

/** A mailbox at a daemon that the test controls. */
async function open(settings: Partial<MailboxSettings>, queue: Partial<QueueLimits> = {}) {
  const daemons = new FakeDaemons();
  const registry = new MailboxRegistry({
    settings: mailboxSettings(settings),
    encode: plainEncode,
    connectSession: daemons.connect,
  });
  registries.push(registry);
  const connect = () =>
    registry.connect({
      daemon: '',
      privateName: '',
      onNameConflict: 'FAIL',
      priority: 0,
      membership: true,
      queue,
      acknowledgement: 'AUTO',
    });
  return { registry, mailbox: await connect(), session: daemons.sessions[0]!, connect };
}

const receiverOf = (mailbox: Mailbox, afterSequence?: number): RecordingReceiver => {
  const receiver = new RecordingReceiver(true);
  receiver.attachment = mailbox.attach({ afterSequence }, receiver);
  return receiver;
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

afterEach(async () => {
  for (const registry of registries.splice(0)) await registry.drain({ graceMs: 0 });
});

/** Size of an encoded event with this text. Unit: bytes. */
async function sizeOf(text: string): Promise<number> {
  const { mailbox, session } = await open({});
  session.deliver(regular(text));
  return mailbox.poll().waitingBytes;
}

describe('the event queue', () => {
  it('mailbox.queueMaxEvents: the policy applies at the limit, and not below it', async () => {
    const ended = await open({}, { maxEvents: 3, overflow: 'DISCONNECT' });
    for (const text of ['a', 'b', 'c']) ended.session.deliver(regular(text));
    expect(ended.mailbox.state).toBe('OPEN');
    ended.session.deliver(regular('d'));
    expect(ended.mailbox.state).toBe('ENDED');
    const paused = await open({}, { maxEvents: 3, overflow: 'PAUSE' });
    for (const text of ['a', 'b']) paused.session.deliver(regular(text));
    expect(paused.session.paused).toBe(false);
    paused.session.deliver(regular('c'));
    expect(paused.session.paused).toBe(true);
  });

  it('mailbox.queueMaxBytes: the policy applies at the limit, and not below it', async () => {
    const size = await sizeOf('x');
    const ended = await open({}, { maxBytes: 3 * size, overflow: 'DISCONNECT' });
    for (let i = 0; i < 3; i++) ended.session.deliver(regular('x'));
    expect(ended.mailbox.state).toBe('OPEN');
    ended.session.deliver(regular('x'));
    expect(ended.mailbox.state).toBe('ENDED');
    const paused = await open({}, { maxBytes: 3 * size, overflow: 'PAUSE' });
    for (let i = 0; i < 2; i++) paused.session.deliver(regular('x'));
    expect(paused.session.paused).toBe(false);
    paused.session.deliver(regular('x'));
    expect(paused.session.paused).toBe(true);
  });

  it('mailbox.replayWindow: events inside can be received again, events outside cannot', async () => {
    const size = await sizeOf('x');
    const { mailbox, session } = await open({}, { replayBytes: 2 * size });
    const first = receiverOf(mailbox);
    for (let i = 0; i < 5; i++) session.deliver(regular('x'));
    await turn();
    expect(first.events).toHaveLength(5);
    const oldest = first.attachment!.info.lastSequence + 5 - 2;
    expect(() => receiverOf(mailbox, oldest - 1)).toThrow(
      expect.objectContaining({ reason: 'SEQUENCE_NOT_RETAINED' }),
    );
    const again = receiverOf(mailbox, oldest);
    await turn();
    expect(again.events).toHaveLength(2);
  });

  it('mailbox.totalQueueMaxBytes: mailboxes are opened below the limit, and none at it', async () => {
    const size = await sizeOf('x');
    // The events of one read are always accepted.
    const holding = async (events: number) => {
      const { session, connect } = await open({ totalQueueBytes: 10 * (size + EVENT_OVERHEAD_BYTES) });
      session.deliverChunk(Array.from({ length: events }, () => regular('x')));
      return connect;
    };
    for (const events of [0, 9]) await (await holding(events))();
    for (const events of [10, 11])
      await expect((await holding(events))()).rejects.toMatchObject({
        reason: 'TOTAL_QUEUE_FULL',
        metadata: {
          limit: 'mailbox.totalQueueMaxBytes',
          bound: `${10 * (size + EVENT_OVERHEAD_BYTES)} bytes`,
        },
      });
  });
});

describe('the send queue', () => {
  it('mailbox.sendQueueMaxBytes: messages wait up to the limit, and are rejected and not sent beyond it', async () => {
    const { mailbox, session } = await open({ maxSendQueueBytes: 1000 });
    session.takesAtOnce = false;
    session.full = true;
    const calls: Promise<unknown>[] = [mailbox.multicast(message(300))];
    const before = mailbox.sendQueueBytes;
    const overhead = before - 300;
    calls.push(mailbox.multicast(message(1000 - before - overhead)));
    expect(mailbox.sendQueueBytes).toBe(1000);
    await expect(mailbox.multicast(message(0))).rejects.toMatchObject({
      reason: 'SEND_QUEUE_FULL',
      metadata: { limit: 'mailbox.sendQueueMaxBytes', bound: '1000 bytes', outcome: 'not-sent' },
    });
    session.drain();
    await turn();
    session.drain();
    await Promise.all(calls);
    session.takesAtOnce = true;
    await mailbox.multicast(message(0));
    expect(mailbox.snapshot().messagesSent).toBe(3);
  });

  it('mailbox.totalSendQueueMaxBytes: one mailbox can use everything that the others leave', async () => {
    const budget = new ByteBudget(10_000);
    const outboxOf = () => {
      const session = new FakeSession();
      session.start({ onMessage: () => {}, onClose: () => {}, onDrain: () => outbox.onDrain() });
      session.takesAtOnce = false;
      session.full = true;
      const outbox = new Outbox(session, () => {}, 1_000_000, budget);
      outbox.multicast(message(0));
      return { session, outbox };
    };
    const fill = ({ outbox }: ReturnType<typeof outboxOf>): number => {
      for (let sent = 0; ; sent++) {
        try {
          outbox.multicast(message(600));
        } catch (error) {
          expect(error).toMatchObject({
            reason: 'SEND_QUEUE_FULL',
            metadata: {
              limit: 'mailbox.totalSendQueueMaxBytes',
              bound: '10000 bytes',
              outcome: 'not-sent',
            },
          });
          return sent;
        }
      }
    };
    const [one, two] = [outboxOf(), outboxOf()];
    // Each counts as 48 + 32 + 600 bytes on the wire and 320 for its objects: 1000.
    expect(fill(one)).toBe(5);
    expect(fill(two)).toBe(3);
    expect(budget.used).toBe(8000);
    one.session.drain();
    await turn();
    expect(budget.used).toBe(3000);
    two.outbox.fail(() => new Error('over'));
    expect(budget.used).toBe(0);
  });
});

const message = (bytes: number) => ({
  serviceType: 'AGREED' as const,
  selfDiscard: false,
  groups: ['g'],
  messageType: 0,
  payload: Buffer.alloc(bytes),
});
