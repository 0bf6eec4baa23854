import {
  AGREED_MESS,
  FIFO_MESS,
  type Mailbox,
  type MailboxOptions,
  type RegularMessage,
  type SpreadError,
  SpreadSidecar,
} from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sidecarAt } from '../support/clients/client.js';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { type SidecarFixtureOptions, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until, within } from '../support/until.js';

/** A sidecar whose receiver connects through a proxy that tests can break, and whose sender connects directly. */
async function behindProxy(options: MailboxOptions = {}, fixture: SidecarFixtureOptions = {}) {
  const sidecar = await startSidecar(fixture);
  const proxy = await FaultProxy.start(Number(sidecar.target.split(':')[1]));
  onTestFinished(() => proxy.stop());
  const receiver = await sidecarAt(`127.0.0.1:${proxy.port}`).connect(options);
  const sender = await sidecarAt(sidecar.target).connect();
  await receiver.join('g', { awaitView: true });
  return { sidecar, proxy, receiver, sender };
}

const texts = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

/** The texts of the messages among the next events, until there are `count`. */
async function take(mailbox: Mailbox, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) {
    const event = await mailbox.receive({ timeoutMs: 10_000 });
    if (event.kind === 'regular') found.push(event.text());
  }
  return found;
}

describe('a receiver whose connection breaks', () => {
  it.each(['AUTO', 'EXPLICIT'] as const)(
    'receives every event once and in order, with %s',
    async (acknowledgement) => {
      const { proxy, receiver, sender } = await behindProxy({ acknowledgement, maxBufferedEvents: 100 });
      const total = 6000;
      const stream = sender.sender({ maxInFlightMessages: 200 });
      const sending = (async () => {
        for (let i = 1; i <= total; i += 1) await stream.send(FIFO_MESS, 'g', String(i));
        await stream.close();
      })();
      const seen: string[] = [];
      while (seen.length < total) {
        seen.push(...(await take(receiver, 500)));
        proxy.cut();
      }
      await sending;
      expect(seen).toEqual(texts(1, total));
      expect(proxy.connections).toBeGreaterThan(1);
    },
  );

  it('resumes at the time of the break', async () => {
    const { proxy, receiver, sender } = await behindProxy();
    await sender.multicast(AGREED_MESS, 'g', 'before');
    expect(await take(receiver, 1)).toEqual(['before']);
    const detached = new Promise((resolve) => receiver.once('detached', resolve));
    const attached = new Promise((resolve) => receiver.once('attached', resolve));
    proxy.refusing = true;
    proxy.cut();
    await within(detached, 'the break is noticed');
    for (const text of texts(1, 100)) await sender.multicast(AGREED_MESS, 'g', text);
    proxy.refusing = false;
    await within(attached, 'it is attached again', 10_000);
    expect(await take(receiver, 100)).toEqual(texts(1, 100));
  });

  it('leaves a connection whose peer has disappeared without closing it', async () => {
    const sidecar = await startSidecar();
    const proxy = await FaultProxy.start(Number(sidecar.target.split(':')[1]));
    onTestFinished(() => proxy.stop());
    const channel = sidecarAt(`127.0.0.1:${proxy.port}`, { connectionKeepAliveMs: 200 });
    const receiver = await channel.connect({ heartbeatIntervalMs: 100 });
    await receiver.join('g', { awaitView: true });
    expect((await receiver.receive()).kind).toBe('view');
    proxy.halfOpen('client');
    const sender = await sidecarAt(sidecar.target).connect();
    await sender.multicast(AGREED_MESS, 'g', 'meanwhile');
    expect(await take(receiver, 1)).toEqual(['meanwhile']);
    expect(proxy.connections).toBe(2);
    await receiver.multicast(AGREED_MESS, 'g', 'again');
    expect(await take(receiver, 1)).toEqual(['again']);
  });

  it('reports that the mailbox has expired if it reconnects too late', async () => {
    const fixture = { mailbox: { lease: { defaultMs: 200, minMs: 100, maxMs: 1000 } } };
    const { proxy, receiver, sidecar } = await behindProxy({ autoReceive: true }, fixture);
    await until(() => sidecar.registry.list({ pageSize: 0, pageToken: '' }).mailboxes[0]?.receiverAttached);
    proxy.refusing = true;
    proxy.cut();
    const error = await (async () => {
      for await (const _ of receiver);
    })().catch((e: SpreadError) => e);
    expect(error).toMatchObject({ statusName: 'UNAVAILABLE' });
    expect((error as SpreadError).message).toContain('200 ms (the lease of the mailbox)');
  });

  it('does not affect the sidecar and the daemon for a while', async () => {
    const { proxy, receiver, sender } = await behindProxy({ maxBufferedEvents: 50 });
    const big = 'x'.repeat(10_000);
    const stream = sender.sender();
    for (let i = 0; i < 2000; i += 1) await stream.send(FIFO_MESS, 'g', big);
    await stream.close();
    await receiver.receive();
    proxy.cut();
    expect((await take(receiver, 2000)).every((text) => text === big)).toBe(true);
  });
});

describe('a mailbox that moves to another process', () => {
  it('resumes after the last received event', async () => {
    const sidecar = await startSidecar();
    const first = new SpreadSidecar({ target: sidecar.target });
    const mailbox = await first.connect({ privateName: 'worker' });
    await mailbox.join('g', { awaitView: true });
    const sender = await sidecarAt(sidecar.target).connect();
    for (const text of texts(1, 10)) await sender.multicast(AGREED_MESS, 'g', text);
    expect(await take(mailbox, 4)).toEqual(texts(1, 4));
    const { mailboxId, afterSequence } = mailbox.detach();
    await first.close();
    const again = await sidecarAt(sidecar.target).attach(mailboxId, { afterSequence });
    expect(again).toMatchObject({ privateGroup: '#worker#localhost', limits: { maxGroupsPerMessage: 43 } });
    expect(await take(again, 6)).toEqual(texts(5, 10));
    await again.multicast(AGREED_MESS, 'g', 'still a member');
    expect(await take(again, 1)).toEqual(['still a member']);
  });

  it('takes over from the attached receiver, which is notified', async () => {
    const sidecar = await startSidecar();
    const channel = sidecarAt(sidecar.target);
    const mailbox = await channel.connect();
    await mailbox.join('g', { awaitView: true });
    await mailbox.receive();
    const other = await channel.attach(mailbox.id, { autoReceive: true });
    await expect(mailbox.receive()).rejects.toMatchObject({
      reason: 'RECEIVER_REPLACED',
      statusName: 'ABORTED',
    });
    await mailbox.multicast(AGREED_MESS, 'g', 'for the other');
    expect(await take(other, 1)).toEqual(['for the other']);
    await expect(channel.attach('0'.repeat(32))).rejects.toMatchObject({
      code: 'ILLEGAL_SESSION',
      number: -11,
    });
  });

  it('redelivers events that were not acknowledged', async () => {
    const sidecar = await startSidecar();
    const channel = sidecarAt(sidecar.target);
    const mailbox = await channel.connect({ acknowledgement: 'EXPLICIT', maxOutstandingEvents: 3 });
    await mailbox.join('g', { awaitView: true });
    for (const text of texts(1, 5)) await mailbox.multicast(AGREED_MESS, 'g', text);
    expect(await take(mailbox, 5)).toEqual(texts(1, 5));
    // The application received the fifth message, event 6, but has not acknowledged it.
    await until(async () => (await mailbox.info()).acknowledgedSequence === 5n);
    mailbox.detach();
    const again = await channel.attach(mailbox.id, { manualAcknowledgement: true });
    expect(await again.receive()).toMatchObject({ sequence: 6n });
    expect(await again.acknowledge()).toBe(6n);
    await expect(again.acknowledge(99n)).rejects.toMatchObject({ reason: 'SEQUENCE_NOT_RETAINED' });
  });
});

describe('the end of a mailbox', () => {
  const endOf = async (mailbox: Mailbox) => {
    const seen: string[] = [];
    const error = await (async () => {
      for await (const event of mailbox)
        if (event.kind === 'regular') seen.push((event as RegularMessage).text());
      return undefined;
    })().catch((e: SpreadError) => e);
    return { seen, error };
  };

  it.each([1, 1000])(
    'is reported after the last event when the daemon dies, also to a slow receiver (%i)',
    async (size) => {
      const { sidecar, receiver, sender } = await behindProxy({ maxBufferedEvents: 3 });
      for (const text of texts(1, 300)) await sender.multicast(AGREED_MESS, 'g', text.padEnd(size));
      expect((await receiver.receive()).kind).toBe('view');
      await until(async () => (await receiver.info()).lastSequence === 301n);
      await sidecar.daemon?.close();
      const { seen, error } = await endOf(receiver);
      expect(seen.map((text) => text.trim())).toEqual(texts(1, 300));
      expect(error).toMatchObject({
        code: 'CONNECTION_CLOSED',
        number: -8,
        metadata: { last_sequence: '301' },
      });
      await expect(receiver.join('h')).rejects.toMatchObject({ statusName: 'UNAVAILABLE' });
    },
  );

  it('is reported after the last event when the sidecar drains', async () => {
    const { sidecar, receiver, sender } = await behindProxy({ autoReceive: true });
    for (const text of texts(1, 300)) await sender.multicast(AGREED_MESS, 'g', text);
    await until(async () => (await receiver.info()).lastSequence === 301n);
    const draining = sidecar.registry.drain({ graceMs: 5000 });
    const { seen, error } = await endOf(receiver);
    expect(seen).toEqual(texts(1, 300));
    expect(error).toMatchObject({ reason: 'DRAINING', statusName: 'UNAVAILABLE' });
    await draining;
  });

  it('is reported when the queue overflows', async () => {
    const queue = { maxEvents: 50, overflow: 'DISCONNECT' } as const;
    const { receiver, sender } = await behindProxy({ queue });
    const stream = sender.sender();
    for (let i = 0; i < 100; i += 1) await stream.send(FIFO_MESS, 'g', String(i));
    await stream.close();
    const { seen, error } = await endOf(receiver);
    expect(error).toMatchObject({ reason: 'QUEUE_OVERFLOW', statusName: 'RESOURCE_EXHAUSTED' });
    expect(seen).toEqual(texts(0, seen.length - 1));
    expect(seen.length).toBeGreaterThan(40);
  });

  it('is reported, after a warning with the time left, when a soft limit ends the mailbox', async () => {
    const softLimit = { fraction: 0.1, timeMs: 250 };
    const { receiver, sender } = await behindProxy({
      acknowledgement: 'EXPLICIT',
      manualAcknowledgement: true,
      queue: { maxEvents: 50, softLimit },
      autoReceive: true,
    });
    expect(receiver.limits.queue).toMatchObject({ maxEvents: 50, softLimit });
    const notice = new Promise((resolve) => receiver.once('slowConsumer', resolve));
    for (const text of texts(1, 6)) await sender.multicast(AGREED_MESS, 'g', text);
    expect(await within(notice, 'the notice')).toMatchObject({
      queuedEvents: 6,
      markEvents: 5,
      timeLeftMs: expect.any(Number),
      time: expect.any(Date),
    });
    const { seen, error } = await endOf(receiver);
    expect(seen).toEqual(texts(1, 6));
    expect(error).toMatchObject({
      reason: 'SLOW_CONSUMER',
      statusName: 'RESOURCE_EXHAUSTED',
      metadata: { bound: '5 events', time: '250 ms' },
    });
  });

  it('is preceded by a warning to a slow receiver', async () => {
    const { receiver, sender } = await behindProxy({
      maxBufferedEvents: 1,
      queue: { maxEvents: 100 },
      autoReceive: true,
    });
    const notice = new Promise((resolve) => receiver.once('slowConsumer', resolve));
    const stream = sender.sender();
    const big = 'x'.repeat(50_000);
    let stop = false;
    const sending = (async () => {
      while (!stop) await stream.send(FIFO_MESS, 'g', big);
    })().catch(() => {});
    const taking = (async () => {
      while (!stop) {
        await receiver.receive({ timeoutMs: 5000 });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })().catch(() => {});
    expect(await within(notice, 'the notice', 10_000)).toMatchObject({ queuedEvents: expect.any(Number) });
    stop = true;
    stream.abort();
    await Promise.all([sending, taking]);
  });
});

describe('a sender', () => {
  it('keeps the order, also relative to other calls after flush', async () => {
    const sidecar = await startSidecar();
    const channel = sidecarAt(sidecar.target);
    const mailbox = await channel.connect();
    await mailbox.join('g', { awaitView: true });
    const sender = mailbox.sender();
    for (const text of texts(1, 2000)) await sender.send(AGREED_MESS, 'g', text);
    expect(await sender.flush()).toEqual({ sent: 2000, decided: 2000, accepted: 2000 });
    await mailbox.multicast(AGREED_MESS, 'g', '2001');
    await sender.send(AGREED_MESS, 'g', '2002');
    await sender.flush();
    await mailbox.leave('g', { awaitView: true });
    expect(await take(mailbox, 2002)).toEqual(texts(1, 2002));
    await sender.close();
  });

  it('sends large payloads unchanged while it uses its buffers again', async () => {
    const { target } = await startSidecar();
    const mailbox = await sidecarAt(target).connect();
    await mailbox.join('g', { awaitView: true });
    const sender = mailbox.sender();
    const total = 400;
    /** The size and each byte depend on the number of the message. */
    const payload = (i: number) => Buffer.alloc(20_000 + ((i * 7919) % 100_000), i % 251);
    const sending = (async () => {
      for (let i = 0; i < total; i++) await sender.send(FIFO_MESS, 'g', payload(i));
      await sender.close();
    })();
    for (let i = 0; i < total; ) {
      const event = await mailbox.receive({ timeoutMs: 10_000 });
      if (event.kind !== 'regular') continue;
      expect(payload(i).equals(event.payload), `message ${i}`).toBe(true);
      i++;
    }
    await sending;
  });

  it('reports rejected messages by their index, and sends the rest', async () => {
    const sidecar = await startSidecar();
    const mailbox = await sidecarAt(sidecar.target).connect();
    await mailbox.join('g', { awaitView: true });
    const refused: [number, string | undefined, string | undefined][] = [];
    const sender = mailbox.sender({
      onRefused: ({ index, error }) => refused.push([index, error.code, error.metadata.field]),
    });
    await sender.send(AGREED_MESS, 'g', '1');
    await sender.send(AGREED_MESS, 'bad group', 'x');
    await sender.send(AGREED_MESS, 'g', Buffer.alloc(143_121));
    await sender.send(AGREED_MESS, 'g', 'x', 40_000);
    await sender.send(AGREED_MESS, 'g', '2');
    expect(await sender.close()).toEqual({ sent: 5, decided: 5, accepted: 2 });
    expect(refused.map(([index, code]) => [index, code])).toEqual([
      [2, 'ILLEGAL_GROUP'],
      [3, 'MESSAGE_TOO_LONG'],
      [4, 'ILLEGAL_MESSAGE'],
    ]);
    expect(await take(mailbox, 2)).toEqual(['1', '2']);
  });

  it('of a mailbox that ends reports messages with an unknown outcome', async () => {
    const sidecar = await startSidecar();
    const mailbox = await sidecarAt(sidecar.target).connect();
    const sender = mailbox.sender();
    await sender.send(AGREED_MESS, 'g', 'sure');
    await sender.flush();
    await sidecar.daemon?.close();
    const error = await (async () => {
      for (;;) {
        await sender.send(AGREED_MESS, 'g', 'x');
        await sender.flush();
      }
    })().catch((e) => e);
    const first = error instanceof AggregateError ? error.errors[0] : error;
    expect(first).toMatchObject({ name: 'SpreadError', statusName: 'UNAVAILABLE' });
    expect(['not-sent', 'unknown']).toContain(first.outcome);
  });
});
