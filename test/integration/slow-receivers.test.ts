import { status } from '@grpc/grpc-js';
import { Acknowledgement, type ConnectRequest } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { call, type Partially, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import {
  MAILBOX_SETTINGS,
  type SidecarFixtureOptions,
  startSidecar,
} from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

const EXPLICIT = { acknowledgement: Acknowledgement.EXPLICIT };
const ms = (count: number) => ({ seconds: 0n, nanos: count * 1_000_000 });

/** A mailbox in the group `chat`, and another that sends to it. */
async function start(connect: Partially<ConnectRequest>, options: SidecarFixtureOptions = {}) {
  const sidecar = await startSidecar({ adminTokens: ['admin'], ...options });
  const receiver = await TestMailbox.open(sidecar.client, connect);
  const sender = await TestMailbox.open(sidecar.newClient());
  await receiver.call('join', { group: 'chat' });
  await until(async () => (await receiver.call('poll')).waitingEvents === 1n);
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) await sender.send('chat', `${i}`);
  };
  const mailbox = async () => (await receiver.call('getMailbox')).mailbox!;
  return { ...sidecar, receiver, send, mailbox };
}

describe('a soft limit', () => {
  it('is off by default, and no limit is reported', async () => {
    const { receiver, mailbox } = await start({});
    expect(receiver.connected.limits?.queue?.softLimit).toBeUndefined();
    expect((await mailbox()).softLimitEndsAt).toBeUndefined();
  });

  it('warns the receiver, and ends the mailbox after the queued events', async () => {
    const softLimit = { fraction: 0.5, time: ms(300) };
    const { receiver, send, mailbox } = await start({ ...EXPLICIT, queue: { maxEvents: 10n, softLimit } });
    expect(receiver.connected.limits?.queue).toMatchObject({ maxEvents: 10n, softLimit });
    const receiving = receiver.receive();
    const before = Date.now();
    await send(7);
    await until(() => receiving.framesOf('slowConsumer').length > 0);
    const [notice] = receiving.framesOf('slowConsumer');
    expect(notice).toMatchObject({
      queuedEvents: 6n,
      markEvents: 5n,
      markBytes: 32n * 1024n * 1024n,
      timeLeft: { seconds: 0n },
      limits: { softLimit },
    });
    expect(notice!.timeLeft!.nanos).toBeGreaterThan(0);
    expect(notice!.timeLeft!.nanos).toBeLessThanOrEqual(300_000_000);
    expect(Number(notice!.time!.seconds) * 1000 + 999).toBeGreaterThanOrEqual(before);
    expect(await receiving.failure()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      info: {
        reason: 'SLOW_CONSUMER',
        domain: 'spread-sidecar',
        metadata: { last_sequence: '8', bound: '5 events', time: '300 ms' },
      },
    });
    expect(receiving.sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await expect(receiver.send('chat', 'x')).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect((await mailbox()).softLimitEndsAt).toBeUndefined();
  });

  it('warns a receiver that attaches while the time is running', async () => {
    const softLimit = { time: { seconds: 60n, nanos: 0 } };
    const { receiver, send, received } = await withReceived({
      ...EXPLICIT,
      queue: { maxEvents: 10n, softLimit },
    });
    await send(6);
    await received(7);
    const receiving = receiver.receive({ maxOutstandingEvents: 1n });
    await until(() => receiving.framesOf('slowConsumer').length > 0);
    expect(receiving.frames[0]?.$case).toBe('attached');
    const [notice] = receiving.framesOf('slowConsumer');
    expect(notice).toMatchObject({ queuedEvents: 7n, markEvents: 5n });
    expect(notice!.timeLeft!.seconds).toBeLessThan(60n);
  });

  it('reports when it ends the mailbox, and is reset when the receiver catches up', async () => {
    const softLimit = { time: { seconds: 60n, nanos: 0 } };
    const { client, receiver, send, received, mailbox } = await withReceived({
      ...EXPLICIT,
      queue: { maxEvents: 10n, softLimit },
    });
    await send(6);
    await received(7);
    const { softLimitEndsAt } = await mailbox();
    expect(softLimitEndsAt).toBeDefined();
    const metadata = { authorization: 'Bearer admin' };
    const { mailboxes } = await call(client, 'listMailboxes', {}, { metadata });
    expect(mailboxes[0]).toMatchObject({
      softLimitEndsAt: { seconds: expect.any(BigInt) },
      limits: { queue: { softLimit: { fraction: 0.5, ...softLimit } } },
    });
    await receiver.receive().first(7);
    expect((await mailbox()).softLimitEndsAt).toBeDefined();
    await receiver.call('acknowledge', { upToSequence: 2n });
    expect((await mailbox()).softLimitEndsAt).toBeUndefined();
  });

  it('of the operator applies to clients without their own, and limits those with one', async () => {
    const { queue } = MAILBOX_SETTINGS;
    const settings = { queue: { ...queue, softLimit: { fraction: 0.5, timeMs: 5000 } } };
    const { client, receiver } = await start({}, { mailbox: settings });
    const time = { seconds: 5n, nanos: 0 };
    expect(receiver.connected.limits?.queue?.softLimit).toEqual({ fraction: 0.5, time });
    const stricter = { fraction: 0.1, time: ms(500) };
    const own = await call(client, 'connect', { queue: { softLimit: stricter } });
    expect(own.limits?.queue?.softLimit).toEqual(stricter);
    const longer = call(client, 'connect', { queue: { softLimit: { time: { seconds: 6n, nanos: 0 } } } });
    await expect(longer).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it.each([
    ['a fraction above 1', { fraction: 1.5, time: ms(500) }, 'queue.soft_limit.fraction'],
    ['a negative fraction', { fraction: -1, time: ms(500) }, 'queue.soft_limit.fraction'],
    ['a fraction that is no number', { fraction: Number.NaN, time: ms(500) }, 'queue.soft_limit.fraction'],
    ['no time', { fraction: 0.5 }, 'queue.soft_limit.time'],
    ['a short time', { time: ms(99) }, 'queue.soft_limit.time'],
    ['a negative time', { time: { seconds: -1n, nanos: 0 } }, 'queue.soft_limit.time'],
    ['a day and a bit', { time: { seconds: 86_400n, nanos: 1 } }, 'queue.soft_limit.time'],
    ['ten thousand years', { time: { seconds: 315_576_000_000n, nanos: 0 } }, 'queue.soft_limit.time'],
  ])('with %s is rejected', async (_, softLimit, field) => {
    const { client } = await startSidecar();
    const refused = call(client, 'connect', { queue: { softLimit } });
    await expect(refused).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(field),
    });
  });
});

async function withReceived(connect: Partially<ConnectRequest>) {
  const started = await start(connect);
  const received = (count: number) =>
    until(async () => Number((await started.mailbox()).lastSequence) >= count, { what: `${count} events` });
  return { ...started, received };
}
