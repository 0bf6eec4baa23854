import { status } from '@grpc/grpc-js';
import { OverflowPolicy } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';
import { EXPLICIT, start } from './receiving-mailbox.js';

describe('the end of a stream', () => {
  it('is OK after the last event when the mailbox was disconnected', async () => {
    const { receiver, send, received, newClient } = await start();
    await send('a', 'b');
    await received(3);
    const receiving = receiver.receive({}, newClient());
    await receiving.attached();
    await receiver.call('disconnect');
    const end = await receiving.end;
    expect(end.code).toBe(status.OK);
    expect(end.metadata.get('last_sequence')).toEqual(['3']);
    expect(receiving.sequences).toEqual([1, 2, 3]);
  });

  it('is CONNECTION_CLOSED after the last event when the daemon ended', async () => {
    const { receiver, send, received, daemon } = await start();
    await send('a');
    await received(2);
    const receiving = receiver.receive();
    await receiving.first(2);
    await daemon?.close();
    expect(await receiving.failure()).toMatchObject({
      code: status.UNAVAILABLE,
      info: {
        reason: 'CONNECTION_CLOSED',
        domain: 'spread.org',
        metadata: { spread_code: '-8', last_sequence: '2' },
      },
      retryDelayMs: undefined,
    });
    expect(receiving.sequences).toEqual([1, 2]);
  });

  it('comes after all received events, also for a receiver that attaches later', async () => {
    const upstream = await startSidecar();
    const proxy = await FaultProxy.start(Number(upstream.daemonAddress.split('@')[0]));
    onTestFinished(() => proxy.stop());
    const { client } = await startSidecar({ daemons: [`${proxy.port}@127.0.0.1`] });
    const alice = await TestMailbox.open(client);
    await alice.call('join', { group: 'chat', awaitView: true });
    for (const text of ['a', 'b']) await alice.send('chat', text);
    await until(async () => (await alice.call('poll')).waitingEvents === 3n);
    proxy.cut();
    await until(async () => (await alice.call('getMailbox')).mailbox?.state === 3, { what: 'ENDED' });
    const receiving = alice.receive();
    expect(await receiving.failure()).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'CONNECTION_CLOSED' },
    });
    expect(receiving.texts).toEqual(['a', 'b']);
  });

  it('is QUEUE_OVERFLOW under that policy', async () => {
    const queue = { maxEvents: 5n, overflow: OverflowPolicy.DISCONNECT };
    const { receiver, send } = await start({ ...EXPLICIT, queue });
    const receiving = receiver.receive();
    await send(...Array.from({ length: 5 }, (_, i) => `${i}`));
    expect(await receiving.failure()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      info: { reason: 'QUEUE_OVERFLOW', metadata: { last_sequence: '5' } },
    });
    expect(receiving.sequences).toEqual([1, 2, 3, 4, 5]);
  });

  it('is LEASE_EXPIRED for a client that returns too late', async () => {
    const lease = { defaultMs: 60, minMs: 50, maxMs: 1000 };
    const { client, registry } = await startSidecar({ mailbox: { lease } });
    const alice = await TestMailbox.open(client);
    await until(() => registry.sizes().open === 0);
    expect(await alice.receive().failure()).toMatchObject({
      code: status.ABORTED,
      info: { reason: 'LEASE_EXPIRED', metadata: { last_sequence: '0' } },
    });
  });

  it('is DRAINING after the queued events, when the sidecar shuts down', async () => {
    const { receiver, send, received, registry } = await start();
    await send('a', 'b');
    await received(3);
    const receiving = receiver.receive();
    const drained = registry.drain({ graceMs: 5000 });
    expect(await receiving.failure()).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'DRAINING', metadata: { last_sequence: '3' } },
    });
    expect(receiving.texts).toEqual(['a', 'b']);
    await drained;
  });

  it('comes within the grace period, also for a client that does not read', async () => {
    const { receiver, sender, registry, server, newClient } = await start();
    const receiving = receiver.receive({}, newClient(undefined, { 'grpc-node.flow_control_window': 65_535 }));
    await receiving.attached();
    receiving.stream.pause();
    for (let i = 0; i < 100; i++) await sender.send('chat', Buffer.alloc(20_000));
    await registry.drain({ graceMs: 100 });
    await server.stop({ graceMs: 100 });
    expect(server.connections).toBe(0);
  });
});

describe('a Unix socket', () => {
  it('supports the same', async () => {
    const { unixTarget, newClient } = await startSidecar({ unix: true });
    const alice = await TestMailbox.open(newClient(unixTarget));
    await alice.call('join', { group: 'chat' });
    await alice.send('chat', 'hello');
    const receiving = alice.receive();
    await receiving.first(2);
    expect(receiving.texts).toEqual(['hello']);
  });
});
