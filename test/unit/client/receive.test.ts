import { status } from '@grpc/grpc-js';
import type { Mailbox, RegularMessage, SpreadError, SpreadEvent } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakeMailbox, fakeService, sidecarAt } from '../../support/clients/client.js';
import { FaultProxy } from '../../support/network/fault-proxy.js';
import { until, within } from '../../support/until.js';

const text = (event: SpreadEvent) => (event as RegularMessage).text();

/** The texts of the next `count` messages. */
async function take(mailbox: Mailbox, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(text(await mailbox.receive({ timeoutMs: 5000 })));
  return texts;
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

describe('receiving', () => {
  it('starts at the first receive and with the first event', async () => {
    const { mailbox, fake, service } = await fakeMailbox();
    fake.message('1');
    expect(service.count('receive')).toBe(0);
    const event = await mailbox.receive();
    expect(event).toMatchObject({ kind: 'regular', sequence: 1n, messageType: -5, groups: ['g'] });
    expect(fake.receives[0]).toMatchObject({ afterSequence: 0n });
    expect(mailbox.lastSequence).toBe(1n);
  });

  it('starts immediately with autoReceive', async () => {
    const { fake } = await fakeMailbox({ autoReceive: true });
    await until(() => fake.attached);
  });

  it('returns every kind in order and ignores unknown kinds', async () => {
    const { mailbox, fake } = await fakeMailbox();
    fake.message('1');
    fake.push(undefined);
    fake.push({ $case: 'selfLeave', value: { group: 'g' } });
    expect((await mailbox.receive()).kind).toBe('regular');
    expect(await mailbox.receive()).toMatchObject({ kind: 'selfLeave', sequence: 3n });
  });

  it('returns available events together, at most the requested number', async () => {
    const { mailbox, fake } = await fakeMailbox();
    for (const n of numbers(1, 25)) fake.message(n);
    const first = await mailbox.receive();
    await until(async () => (await mailbox.poll()).bufferedEvents === 24);
    const some = await mailbox.receiveMany({ maxEvents: 10 });
    const rest = await mailbox.receiveMany();
    expect([first, ...some, ...rest].map(text)).toEqual(numbers(1, 25));
    expect(some).toHaveLength(10);
    await expect(mailbox.receiveMany({ timeoutMs: 1 })).rejects.toMatchObject({
      status: status.DEADLINE_EXCEEDED,
    });
    await expect(mailbox.receiveMany({ maxEvents: 0 })).rejects.toMatchObject({
      metadata: { field: 'maxEvents' },
    });
  });

  it('iterates until the mailbox is disconnected, then receive reports the end', async () => {
    const { mailbox, fake } = await fakeMailbox();
    for (const n of numbers(1, 25)) fake.message(n);
    const seen: string[] = [];
    for await (const event of mailbox) {
      seen.push(text(event));
      if (seen.length === 25) expect(await mailbox.disconnect()).toBe(true);
    }
    expect(seen).toEqual(numbers(1, 25));
    await expect(mailbox.receive()).rejects.toMatchObject({ code: 'ILLEGAL_SESSION', number: -11 });
  });

  it('does not change the mailbox when a loop is left', async () => {
    const { mailbox, fake } = await fakeMailbox();
    for (const n of numbers(1, 5)) fake.message(n);
    for await (const event of mailbox) if (text(event) === '2') break;
    expect(await take(mailbox, 3)).toEqual(['3', '4', '5']);
  });

  it('returns one event to each of several waiting calls', async () => {
    const { mailbox, fake } = await fakeMailbox();
    const waiting = Promise.all([mailbox.receive(), mailbox.receive(), mailbox.receive()]);
    await until(() => fake.attached);
    for (const n of numbers(1, 3)) fake.message(n);
    expect((await waiting).map(text)).toEqual(['1', '2', '3']);
  });

  it('keeps the rest in the sidecar while the application is slow', async () => {
    const { mailbox, fake } = await fakeMailbox({ maxBufferedEvents: 100 });
    fake.batchSize = 50;
    const big = 'x'.repeat(20_000);
    for (let i = 0; i < 3000; i += 1) fake.message(big);
    await mailbox.receive();
    // Events in flight: the buffer of the client, sixteen frames of grpc-js, and the buffers of the two
    // sockets.
    const given = await until(async () => {
      const before = (await mailbox.poll()).bufferedEvents;
      await new Promise((resolve) => setImmediate(resolve));
      return before >= 99 && before === (await mailbox.poll()).bufferedEvents && before;
    });
    expect(given).toBeLessThan(200);
    for (let i = 0; i < 2999; i += 1) await mailbox.receive({ timeoutMs: 5000 });
    expect(mailbox.lastSequence).toBe(3000n);
  });

  it('reports a slow consumer, attach and end', async () => {
    const { mailbox, fake } = await fakeMailbox();
    const seen: unknown[] = [];
    mailbox.on('attached', (info) => seen.push(['attached', info.nextSequence]));
    mailbox.on('slowConsumer', (notice) => seen.push(['slow', notice]));
    mailbox.on('ended', (error) => seen.push(['ended', error?.reason]));
    fake.message('1');
    await mailbox.receive();
    const queued = { queuedEvents: 5n, queuedBytes: 6n, limits: undefined, markEvents: 4n, markBytes: 3n };
    const time = { seconds: 7n, nanos: 0 };
    fake.write({ $case: 'slowConsumer', value: { ...queued, timeLeft: undefined, time } });
    fake.write({ $case: 'slowConsumer', value: { ...queued, timeLeft: { seconds: 1n, nanos: 5e8 }, time } });
    fake.end = { code: status.ABORTED, reason: 'LEASE_EXPIRED' };
    fake.pump();
    await expect(mailbox.receive()).rejects.toMatchObject({ reason: 'LEASE_EXPIRED' });
    const notice = { queuedEvents: 5, queuedBytes: 6, markEvents: 4, markBytes: 3, time: new Date(7000) };
    expect(seen).toEqual([
      ['attached', 1n],
      ['slow', { ...notice, timeLeftMs: undefined }],
      ['slow', { ...notice, timeLeftMs: 1500 }],
      ['ended', 'LEASE_EXPIRED'],
    ]);
  });
});

describe('a stream that breaks', () => {
  it.each([
    { code: status.UNAVAILABLE },
    { code: status.CANCELLED },
    { code: status.INTERNAL },
    { code: status.UNKNOWN },
  ])('is replaced after the last event, for status $code', async (fault) => {
    const { mailbox, fake, service } = await fakeMailbox();
    const detached: SpreadError[] = [];
    mailbox.on('detached', (error) => detached.push(error));
    for (const n of numbers(1, 12)) fake.message(n);
    expect(await take(mailbox, 12)).toEqual(numbers(1, 12));
    service.fail('receive', fault, fault);
    fake.fail(fault);
    for (const n of numbers(13, 20)) fake.message(n);
    expect(await take(mailbox, 8)).toEqual(numbers(13, 20));
    expect(fake.receives.map((request) => request.afterSequence)).toEqual([0n, 12n]);
    expect(detached.map((error) => error.status)).toEqual([fault.code]);
    expect(service.count('receive')).toBe(4);
  });

  it('neither loses nor repeats events over many broken connections', async () => {
    const service = await fakeService();
    const proxy = await FaultProxy.start(service.port);
    onTestFinished(() => proxy.stop());
    const mailbox = await sidecarAt(`127.0.0.1:${proxy.port}`).connect();
    const fake = service.mailbox;
    const total = 5000;
    const seen: string[] = [];
    let pushed = 0;
    while (seen.length < total) {
      while (pushed < total && pushed < seen.length + 700) fake.message(String(++pushed));
      seen.push(text(await mailbox.receive({ timeoutMs: 10_000 })));
      if (seen.length % 900 === 0) proxy.cut();
    }
    expect(seen).toEqual(numbers(1, total));
    expect(proxy.connections).toBeGreaterThan(3);
  });

  it('is replaced also while the application does not receive', async () => {
    const { mailbox, fake } = await fakeMailbox({ maxBufferedEvents: 10 });
    for (const n of numbers(1, 500)) fake.message(n);
    expect(await take(mailbox, 1)).toEqual(['1']);
    fake.fail({ code: status.UNAVAILABLE });
    expect(await take(mailbox, 499)).toEqual(numbers(2, 500));
  });

  it('is abandoned after the lease', async () => {
    const { mailbox, service, fake } = await fakeMailbox({ leaseMs: 300 });
    fake.message('1');
    await mailbox.receive();
    service.stop();
    const error = await within(
      mailbox.receive().catch((e) => e),
      'the end after the lease',
    );
    expect(error).toMatchObject({ statusName: 'UNAVAILABLE', reason: 'SIDECAR_UNREACHABLE' });
    expect(error.message).toContain('300 ms');
  });

  it('is detected by missing heartbeats', async () => {
    const service = await fakeService();
    const proxy = await FaultProxy.start(service.port);
    onTestFinished(() => proxy.stop());
    const mailbox = await sidecarAt(`127.0.0.1:${proxy.port}`).connect({ heartbeatIntervalMs: 100 });
    const fake = service.mailbox;
    fake.message('1');
    await mailbox.receive();
    expect(fake.receives[0]?.heartbeatInterval).toEqual({ seconds: 0n, nanos: 100_000_000 });
    proxy.silent = true;
    fake.message('2');
    const broken = new Promise((resolve) => mailbox.once('detached', resolve));
    expect(await within(broken, 'the silence is noticed')).toMatchObject({
      statusName: 'UNAVAILABLE',
      message: expect.stringContaining('sent no frame for'),
    });
    proxy.silent = false;
    expect(await take(mailbox, 1)).toEqual(['2']);
  });

  it('is replaced when the attempt to attach gets no frame', async () => {
    const { mailbox, fake, service } = await fakeMailbox({ heartbeatIntervalMs: 100 });
    service.fail('receive', 'hang', 'hang');
    fake.message('1');
    expect(await take(mailbox, 1)).toEqual(['1']);
    expect(service.count('receive')).toBe(3);
  });

  it('is abandoned as unavailable when the silence is longer than the lease', async () => {
    const service = await fakeService();
    const proxy = await FaultProxy.start(service.port);
    onTestFinished(() => proxy.stop());
    const options = { heartbeatIntervalMs: 50, leaseMs: 300 };
    const mailbox = await sidecarAt(`127.0.0.1:${proxy.port}`).connect(options);
    service.mailbox.message('1');
    await mailbox.receive();
    proxy.silent = true;
    const error = await within(
      mailbox.receive().catch((e) => e),
      'the end after the lease',
    );
    expect(error).toMatchObject({ statusName: 'UNAVAILABLE', reason: 'SIDECAR_UNREACHABLE' });
  });

  it('is not replaced after the sidecar ended it', async () => {
    const { mailbox, fake, service } = await fakeMailbox();
    fake.message('1');
    fake.end = { code: status.UNAVAILABLE, reason: 'CONNECTION_CLOSED', domain: 'spread.org' };
    expect(await take(mailbox, 1)).toEqual(['1']);
    await expect(mailbox.receive()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', number: -8 });
    expect(fake.receives.length).toBeLessThanOrEqual(2);
    expect(service.count('receive')).toBe(fake.receives.length);
  });

  it('does not replace the receiver that replaced it', async () => {
    const { mailbox, fake, sidecar } = await fakeMailbox();
    fake.message('1');
    await mailbox.receive();
    const other = await sidecar.attach(mailbox.id, { afterSequence: 1n });
    const second = other.receive();
    await until(() => fake.receives.length === 2);
    fake.message('2');
    expect(text(await second)).toBe('2');
    await expect(mailbox.receive()).rejects.toMatchObject({ reason: 'RECEIVER_REPLACED' });
    fake.message('3');
    expect(await take(other, 1)).toEqual(['3']);
  });

  it('receives the last events before the end, which grpc-js drops', async () => {
    const { mailbox, fake } = await fakeMailbox({ maxBufferedEvents: 5 });
    fake.batchSize = 3;
    for (const n of numbers(1, 400)) fake.message(n);
    expect(await take(mailbox, 1)).toEqual(['1']);
    fake.end = { code: status.RESOURCE_EXHAUSTED, reason: 'QUEUE_OVERFLOW' };
    fake.pump();
    await until(() => !fake.attached);
    // The client gets the frames of the paused stream at its end.
    const buffered = await until(async () => {
      const { bufferedEvents } = await mailbox.poll();
      return bufferedEvents > 10 && bufferedEvents;
    });
    // Attempts to fetch the rest do not overfill the inbox of a stalled application.
    for (let i = 0; i < 50; i += 1) expect((await mailbox.poll()).bufferedEvents).toBe(buffered);
    const seen: string[] = [];
    const error = await (async () => {
      for await (const event of mailbox) seen.push(text(event));
      return undefined;
    })().catch((e: SpreadError) => e);
    expect(seen).toEqual(numbers(2, 400));
    expect(error).toMatchObject({ reason: 'QUEUE_OVERFLOW', metadata: { last_sequence: '400' } });
    expect(fake.receives.length).toBeGreaterThan(1);
  });

  it('reports which events were lost with the mailbox', async () => {
    const { mailbox, fake, service } = await fakeMailbox();
    fake.message('1');
    await mailbox.receive();
    service.mailboxes.clear();
    fake.fail({ code: status.UNAVAILABLE, reason: 'DRAINING', metadata: { last_sequence: '9' } });
    const error = await mailbox.receive().catch((e) => e);
    expect(error).toMatchObject({
      reason: 'DRAINING',
      metadata: { last_sequence: '9', received_sequence: '1' },
    });
    expect(error.message).toContain('2 to 9');
  });

  it('gives up on last events that are not available', async () => {
    const { mailbox, fake } = await fakeMailbox();
    fake.message('1');
    await mailbox.receive();
    fake.end = { code: status.UNAVAILABLE, reason: 'DRAINING', metadata: { last_sequence: '9' } };
    fake.pump();
    await expect(mailbox.receive()).rejects.toMatchObject({ metadata: { received_sequence: '1' } });
    expect(fake.receives.length).toBeLessThan(8);
  });
});

describe('a sidecar that breaks the contract', () => {
  it.each([
    [
      'an event too far',
      { $case: 'batch', value: { events: [{ sequence: 3n, receivedAt: undefined, kind: undefined }] } },
    ],
    ['a heartbeat too far', { $case: 'heartbeat', value: { lastSequence: 3n, time: undefined } }],
  ] as const)('is detected by %s', async (_, frame) => {
    const { mailbox, fake } = await fakeMailbox();
    fake.message('1');
    await mailbox.receive();
    fake.write(frame as never);
    await expect(mailbox.receive()).rejects.toMatchObject({ statusName: 'DATA_LOSS' });
  });

  it('may repeat an event, which is delivered once', async () => {
    const { mailbox, fake } = await fakeMailbox();
    for (const n of numbers(1, 3)) fake.message(n);
    expect(await take(mailbox, 3)).toEqual(numbers(1, 3));
    fake.write({ $case: 'batch', value: { events: fake.events } });
    fake.message('4');
    expect(await take(mailbox, 1)).toEqual(['4']);
  });
});

describe('explicit acknowledgement', () => {
  it('acknowledges an event when the application asks for the next one', async () => {
    const { mailbox, fake } = await fakeMailbox({
      acknowledgement: 'EXPLICIT',
      maxOutstandingEvents: 7,
      maxOutstandingBytes: 8,
    });
    expect(mailbox.acknowledgement).toBe('EXPLICIT');
    for (const n of numbers(1, 3)) fake.message(n);
    await take(mailbox, 2);
    expect(fake.receives[0]).toMatchObject({ maxOutstandingEvents: 7n, maxOutstandingBytes: 8n });
    await until(() => fake.acknowledged === 1n);
    await take(mailbox, 1);
    await until(() => fake.acknowledged === 2n);
  });

  it('acknowledges all events that were received together when the application asks for more', async () => {
    const { mailbox, fake } = await fakeMailbox({ acknowledgement: 'EXPLICIT', autoReceive: true });
    for (const n of numbers(1, 5)) fake.message(n);
    await until(async () => (await mailbox.poll()).bufferedEvents === 5);
    expect(await mailbox.receiveMany({ maxEvents: 4 })).toHaveLength(4);
    expect(fake.acknowledged).toBe(0n);
    await mailbox.receiveMany();
    await until(() => fake.acknowledged === 4n);
  });

  it('retries a failed acknowledgement together with later ones', async () => {
    const { mailbox, fake, service } = await fakeMailbox({ acknowledgement: 'EXPLICIT' });
    service.fail('acknowledge', { code: status.UNAVAILABLE }, { code: status.UNAVAILABLE });
    for (const n of numbers(1, 50)) fake.message(n);
    await take(mailbox, 50);
    await until(() => fake.acknowledged === 49n);
    expect(service.count('acknowledge')).toBeLessThan(50);
  });

  it.each([
    { code: status.NOT_FOUND, reason: 'ILLEGAL_SESSION' },
    { code: status.ABORTED, reason: 'LEASE_EXPIRED' },
    { code: status.UNAVAILABLE, reason: 'CONNECTION_CLOSED', domain: 'spread.org' },
  ])('lets the stream report that the mailbox has ended ($reason)', async (refusal) => {
    const { mailbox, fake, service } = await fakeMailbox({ acknowledgement: 'EXPLICIT' });
    service.fail('acknowledge', refusal);
    for (const n of numbers(1, 2)) fake.message(n);
    await take(mailbox, 2);
    await until(() => service.count('acknowledge') === 1);
    // The response to the poll arrives later than the rejection, so by now the client has the rejection.
    await mailbox.poll();
    fake.message('3');
    expect(await take(mailbox, 1)).toEqual(['3']);
  });

  it('reports a rejected acknowledgement to the application, and ends receiving', async () => {
    const { mailbox, fake, service } = await fakeMailbox({ acknowledgement: 'EXPLICIT', leaseMs: 300 });
    const ended = new Promise((resolve) => mailbox.once('ended', resolve));
    service.fail('acknowledge', { code: status.INVALID_ARGUMENT, reason: 'FIELD_INVALID' });
    fake.message('1');
    await take(mailbox, 1);
    await expect(mailbox.receive()).rejects.toMatchObject({ reason: 'FIELD_INVALID' });
    expect(await ended).toMatchObject({ reason: 'FIELD_INVALID' });
    await until(() => !fake.attached);
    // The mailbox has not ended: the client keeps its lease, and reports a failed disconnect.
    await until(() => service.count('poll') >= 3);
    service.fail('disconnect', { code: status.RESOURCE_EXHAUSTED });
    await expect(mailbox.disconnect()).rejects.toMatchObject({ statusName: 'RESOURCE_EXHAUSTED' });
  });

  it('does not acknowledge with manualAcknowledgement', async () => {
    const { mailbox, fake, service } = await fakeMailbox({
      acknowledgement: 'EXPLICIT',
      manualAcknowledgement: true,
    });
    for (const n of numbers(1, 3)) fake.message(n);
    await take(mailbox, 3);
    expect(service.count('acknowledge')).toBe(0);
    expect(await mailbox.acknowledge(2n)).toBe(2n);
    expect(await mailbox.acknowledge()).toBe(3n);
  });
});
