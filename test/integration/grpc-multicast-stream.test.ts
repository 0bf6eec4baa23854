import { status } from '@grpc/grpc-js';
import { MailboxServiceService, MulticastStreamRequest, ServiceType } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { message, Sending, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { type RunningSidecar, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

async function start() {
  const sidecar = await startSidecar();
  const sender = await TestMailbox.open(sidecar.client);
  const receiver = await TestMailbox.open(sidecar.newClient());
  await receiver.call('join', { group: 'chat', awaitView: true });
  return { ...sidecar, sender, receiver };
}

/** A sidecar with a proxy between it and its daemon. */
async function startBehindProxy() {
  const upstream: RunningSidecar = await startSidecar();
  const proxy = await FaultProxy.start(Number(upstream.daemonAddress.split('@')[0]));
  onTestFinished(() => proxy.stop());
  const sidecar = await startSidecar({ daemons: [`${proxy.port}@127.0.0.1`] });
  return { ...sidecar, proxy, upstream };
}

const texts = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `m${from + i}`);

describe('responses', () => {
  it('start with zeroes for the opening frame, and count cumulatively', async () => {
    const { sender, receiver } = await start();
    const stream = sender.stream();
    expect(await stream.decided(0)).toEqual({ decided: 0n, accepted: 0n, refusals: [] });
    stream.batch(...texts(3).map((text) => message('chat', text)));
    expect(await stream.decided(3)).toEqual({ decided: 3n, accepted: 3n, refusals: [] });
    stream.batch();
    await until(() => stream.answers.length === 3);
    stream.batch(...texts(2, 3).map((text) => message('chat', text)));
    expect(await stream.decided(5)).toEqual({ decided: 5n, accepted: 5n, refusals: [] });
    await stream.finish();
    const receiving = receiver.receive();
    await receiving.first(6);
    expect(receiving.texts).toEqual(texts(5));
  });

  it('name each rejected message and do not end the stream', async () => {
    const { sender, receiver } = await start();
    const stream = sender.stream();
    const bad = [
      message('chat', 'first'),
      message('no#good', 'x'),
      message([], 'x'),
      message('chat', 'second'),
      message('chat', 'x', { serviceType: ServiceType.UNSPECIFIED }),
      message('chat', Buffer.alloc(143_121)),
      message('chat', 'x', { messageType: 32_768 }),
      message(
        Array.from({ length: 44 }, (_, i) => `g${i}`),
        'x',
      ),
      message('chat', 'third'),
      message('x'.repeat(32), 'x'),
    ];
    stream.batch(...bad);
    expect(await stream.decided(10)).toMatchObject({ decided: 10n, accepted: 3n });
    expect(stream.refusals.map(({ index, reason }) => [Number(index), reason])).toEqual([
      [2, 'ILLEGAL_GROUP'],
      [3, 'ILLEGAL_GROUP'],
      [5, 'ILLEGAL_SERVICE'],
      [6, 'MESSAGE_TOO_LONG'],
      [7, 'ILLEGAL_MESSAGE'],
      [8, 'ILLEGAL_GROUP'],
      [10, 'ILLEGAL_GROUP'],
    ]);
    for (const refusal of stream.refusals) {
      expect(refusal).toMatchObject({ statusCode: status.INVALID_ARGUMENT, domain: 'spread.org' });
      expect(refusal.statusMessage).not.toBe('');
      const metadata = Object.fromEntries(refusal.metadata);
      expect(metadata).toMatchObject({ spread_error: refusal.reason, field: expect.any(String) });
    }
    stream.batch(message('chat', 'fourth'));
    expect(await stream.decided(11)).toEqual({ decided: 11n, accepted: 4n, refusals: [] });
    await stream.finish();
    const receiving = receiver.receive();
    await receiving.first(5);
    expect(receiving.texts).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('stay small however many messages are rejected at once', async () => {
    const { sender } = await start();
    const stream = sender.stream();
    const COUNT = 5000;
    stream.batch(...texts(COUNT).map((text, i) => message(i % 1000 === 999 ? 'chat' : '#', text)));
    expect((await stream.decided(COUNT)).accepted).toBe(5n);
    const indices = stream.refusals.map(({ index }) => Number(index));
    expect(indices).toEqual(
      Array.from({ length: COUNT }, (_, i) => i + 1).filter((index) => index % 1000 !== 0),
    );
    for (const { refusals } of stream.answers) expect(refusals.length).toBeLessThanOrEqual(500);
    // Counts never decrease, and no rejection appears before its message is counted.
    let before = 0n;
    for (const { decided, refusals } of stream.answers) {
      expect(decided).toBeGreaterThanOrEqual(before);
      for (const { index } of refusals) expect(index).toBeLessThanOrEqual(decided);
      before = decided;
    }
    await stream.finish();
  });

  it('arrive for every batch of a fast sender, in order, without gaps', async () => {
    const { sender, receiver } = await start();
    const stream = sender.stream();
    const receiving = receiver.receive();
    const COUNT = 20_000;
    const all = texts(COUNT);
    for (let i = 0; i < COUNT; i += 100)
      stream.batch(...all.slice(i, i + 100).map((text) => message('chat', text)));
    await stream.decided(COUNT, 15_000);
    await stream.finish();
    await receiving.first(COUNT + 1, 15_000);
    expect(receiving.texts).toEqual(all);
  });
});

describe('an unexpected frame ends the stream', () => {
  it('the first frame is not an open frame', async () => {
    const { client } = await start();
    const stream = new Sending(client.multicastStream());
    stream.batch(message('chat', 'x'));
    expect(await stream.failure()).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('first frame must set the field "open"'),
      info: { reason: 'FIELD_INVALID', metadata: { field: 'frame' } },
    });
  });

  it('a later frame is an open frame; earlier messages are answered', async () => {
    const { sender } = await start();
    const stream = sender.stream();
    stream.batch(message('chat', 'x'));
    stream.frame({ $case: 'open', value: { mailboxId: sender.id, respondsOnRequest: false } });
    expect(await stream.failure()).toMatchObject({
      info: { reason: 'FIELD_INVALID', metadata: { field: 'frame' } },
    });
    expect(stream.answers.at(-1)).toMatchObject({ decided: 1n, accepted: 1n });
  });

  it('a frame is empty', async () => {
    const { sender } = await start();
    const stream = sender.stream();
    stream.frame(undefined);
    expect(await stream.failure()).toMatchObject({
      info: { reason: 'FIELD_REQUIRED', metadata: { field: 'frame' } },
    });
  });

  it('there is no frame', async () => {
    const { client } = await start();
    const stream = new Sending(client.multicastStream());
    stream.stream.end();
    expect(await stream.failure()).toMatchObject({
      info: { reason: 'FIELD_REQUIRED', metadata: { field: 'open' } },
    });
  });

  it('the open frame names no mailbox, or an unknown one', async () => {
    const { client } = await start();
    expect(await new Sending(client.multicastStream(), '').failure()).toMatchObject({
      info: { reason: 'FIELD_REQUIRED', metadata: { field: 'open.mailbox_id' } },
    });
    expect(await new Sending(client.multicastStream(), 'nobody').failure()).toMatchObject({
      code: status.NOT_FOUND,
      info: { reason: 'ILLEGAL_SESSION' },
    });
  });

  it('a frame is not a message of the contract; earlier messages are sent and answered', async () => {
    const { client, sender, receiver } = await start();
    const { path } = MailboxServiceService.multicastStream;
    const call = client.makeBidiStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      MailboxServiceService.multicastStream.responseDeserialize,
    );
    const stream = new Sending(call as never);
    const encode = (request: MulticastStreamRequest) =>
      Buffer.from(MulticastStreamRequest.encode(request).finish());
    call.write(
      encode({ frame: { $case: 'open', value: { mailboxId: sender.id, respondsOnRequest: false } } }),
    );
    call.write(
      encode({ frame: { $case: 'batch', value: { messages: [message('chat', 'before')], respond: false } } }),
    );
    call.write(Buffer.from([0x12, 0x7f, 1]));
    call.write(
      encode({ frame: { $case: 'batch', value: { messages: [message('chat', 'after')], respond: false } } }),
    );
    expect(await stream.failure()).toMatchObject({
      code: status.INVALID_ARGUMENT,
      info: { reason: 'MALFORMED_REQUEST', domain: 'spread-sidecar' },
    });
    expect(stream.answers.at(-1)).toMatchObject({ decided: 1n, accepted: 1n });
    await sender.send('chat', 'later');
    const receiving = receiver.receive();
    await receiving.first(3);
    expect(receiving.texts).toEqual(['before', 'later']);
  });
});

describe('a daemon that does not read', () => {
  it('applies limited backpressure to the sender until it reads again', async () => {
    const { client, proxy, upstream } = await startBehindProxy();
    const sender = await TestMailbox.open(client);
    const receiver = await TestMailbox.open(upstream.client);
    await receiver.call('join', { group: 'chat', awaitView: true });
    proxy.silent = true;
    const stream = sender.stream();
    const payload = Buffer.alloc(100_000, 7);
    const COUNT = 300;
    for (let i = 0; i < COUNT; i++) stream.batch(message('chat', payload, { messageType: i }));
    const limit = Number(sender.connected.limits!.maxSendQueueBytes);
    const waiting = async () => (await sender.call('getMailbox')).mailbox!;
    await until(async () => (await waiting()).sendQueueBytes > 0n, { what: 'something waits' });
    // The state is stable: the last response does not change while other calls complete.
    await until(async () => {
      const before = stream.answers.length;
      for (let i = 0; i < 20; i++) await sender.call('poll');
      return stream.answers.length === before;
    });
    const held = await waiting();
    expect(Number(held.sendQueueBytes)).toBeLessThanOrEqual(limit);
    expect(Number(held.messagesSent)).toBeLessThan(COUNT);
    expect(Number(stream.answers.at(-1)?.decided)).toBeLessThan(COUNT);
    proxy.silent = false;
    const receiving = receiver.receive();
    await stream.decided(COUNT, 15_000);
    await receiving.first(COUNT + 1, 15_000);
    const types = receiving.events.flatMap(({ kind }) =>
      kind?.$case === 'regularMessage' ? [kind.value.messageType] : [],
    );
    expect(types).toEqual(Array.from({ length: COUNT }, (_, i) => i));
    await stream.finish();
  });

  it('queues other calls of the mailbox up to the limit, then rejects them', async () => {
    const { client, proxy } = await startBehindProxy();
    const sender = await TestMailbox.open(client);
    proxy.silent = true;
    const payload = Buffer.alloc(140_000);
    const failures: unknown[] = [];
    const calls: Promise<unknown>[] = [];
    await until(
      async () => {
        calls.push(sender.send('chat', payload).catch((error: unknown) => failures.push(error)));
        await sender.call('poll');
        return failures.length > 0;
      },
      { timeoutMs: 15_000 },
    );
    expect(failures[0]).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    proxy.silent = false;
    await Promise.all(calls);
    expect(failures.length).toBeLessThan(calls.length);
    await expect(sender.send('chat', 'again')).resolves.toEqual({ bytesSent: 5 });
  });
});

describe('the end of the mailbox', () => {
  it('ends an idle stream immediately', async () => {
    const { sender } = await start();
    const stream = sender.stream();
    stream.batch(message('chat', 'x'));
    await stream.decided(1);
    await sender.call('disconnect');
    expect(await stream.failure()).toMatchObject({
      code: status.ABORTED,
      info: { reason: 'MAILBOX_DISCONNECTED', metadata: { outcome: 'not-sent' } },
    });
    expect(stream.answers.at(-1)).toMatchObject({ decided: 1n, accepted: 1n });
  });

  it('is UNAVAILABLE when the daemon disconnected', async () => {
    const { sender, daemon } = await start();
    const stream = sender.stream();
    await stream.decided(0);
    await daemon?.close();
    expect(await stream.failure()).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'CONNECTION_CLOSED', metadata: { outcome: 'not-sent' } },
      retryDelayMs: undefined,
    });
    // Its events can still be received. A new stream fails because the mailbox cannot send.
    expect((await sender.call('getMailbox')).mailbox?.state).toBe(3);
    expect(await sender.stream().failure()).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'NET_ERROR_ON_SESSION', metadata: { outcome: 'not-sent' } },
    });
  });

  it('waits for accepted messages, and answers them', async () => {
    const { client, proxy, registry } = await startBehindProxy();
    const sender = await TestMailbox.open(client);
    proxy.silent = true;
    const stream = sender.stream();
    const payload = Buffer.alloc(100_000);
    for (let i = 0; i < 100; i++) stream.batch(message('chat', payload));
    await until(() => registry.sizes().sendQueueBytes > 0, { what: 'something waits' });
    const disconnected = sender.call('disconnect');
    await until(() => registry.sizes().open === 0, { what: 'the mailbox has ended' });
    expect(stream.ended).toBeUndefined();
    proxy.silent = false;
    const failure = await stream.failure();
    expect(failure).toMatchObject({
      info: { reason: 'MAILBOX_DISCONNECTED', metadata: { outcome: 'not-sent' } },
    });
    await disconnected;
    const last = stream.answers.at(-1)!;
    expect(last.decided).toBe(last.accepted);
    expect(registry.totals().messagesSent).toBe(Number(last.accepted));
  });

  it('is not caused by the lease while the stream is open', async () => {
    const lease = { defaultMs: 60, minMs: 50, maxMs: 1000 };
    const { client, registry } = await startSidecar({ mailbox: { lease } });
    const sender = await TestMailbox.open(client);
    const other = await TestMailbox.open(client);
    const stream = sender.stream();
    await stream.decided(0);
    // The other mailbox was opened later and has expired. This one has not.
    await until(() => registry.sizes().open === 1);
    expect(() => registry.get(other.id)).toThrow();
    stream.batch(message('chat', 'x'));
    await stream.decided(1);
    stream.stream.cancel();
    await until(() => registry.sizes().open === 0);
  });
});
