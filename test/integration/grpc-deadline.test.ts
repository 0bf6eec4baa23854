import { type AddressInfo, createServer, type Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GrpcTelemetry, MethodInfo } from '../../server/src/grpc/calls/methods.js';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { call, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

/** Counts ended calls by method and status. */
class Ends implements GrpcTelemetry {
  readonly seen: string[] = [];
  callStarted() {}
  callFinished({ method }: MethodInfo, code: number) {
    this.seen.push(`${method} ${status[code]}`);
  }
  messageReceived() {}
  messageSent() {}
  eventsDelivered() {}
}

/** A mailbox behind a proxy that can stop the daemon's responses. */
async function start() {
  const upstream = await startSidecar();
  const proxy = await FaultProxy.start(Number(upstream.daemonAddress.split('@')[0]));
  onTestFinished(() => proxy.stop());
  const ends = new Ends();
  const sidecar = await startSidecar({ daemons: [`${proxy.port}@127.0.0.1`], telemetry: ends });
  const mailbox = await TestMailbox.open(sidecar.client);
  return { ...sidecar, proxy, mailbox, ends };
}

/** A twentieth of this time is more than the delay of a busy machine. */
const soon = () => ({ deadline: Date.now() + 1500 });

describe('a deadline that passes', () => {
  it('is answered just before, so that the caller gets the outcome of a join', async () => {
    const { proxy, mailbox, ends } = await start();
    proxy.silent = true;
    const failure = await failureOf(mailbox.call('join', { group: 'chat', awaitView: true }, soon()));
    expect(failure).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      info: { reason: 'DEADLINE_EXCEEDED', domain: 'spread-sidecar', metadata: { outcome: 'unknown' } },
      retryDelayMs: undefined,
    });
    expect(ends.seen.at(-1)).toBe('Join DEADLINE_EXCEEDED');
    // The mailbox continues, and the join takes effect when the daemon responds.
    proxy.silent = false;
    const { view } = await mailbox.call('join', { group: 'chat', awaitView: true });
    expect(view?.members).toEqual([mailbox.privateGroup]);
  });

  it('cancels a queued message', async () => {
    const { proxy, mailbox, registry } = await start();
    proxy.silent = true;
    const payload = Buffer.alloc(140_000);
    const waiting: Promise<unknown>[] = [];
    const sendQueueBytes = () => registry.sizes().sendQueueBytes;
    // Until the kernel and the session are full and the rest waits in the sidecar.
    await until(
      async () => {
        waiting.push(mailbox.send('chat', payload));
        await mailbox.call('poll');
        return sendQueueBytes() > 1_000_000;
      },
      { timeoutMs: 15_000 },
    );
    const before = (await mailbox.call('getMailbox')).mailbox!.messagesSent;
    const message = { serviceType: 5, groups: ['chat'], payload: Buffer.from('late') };
    expect(await failureOf(mailbox.call('multicast', { message }, soon()))).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      info: { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'not-sent' } },
    });
    proxy.silent = false;
    await Promise.all(waiting);
    const { messagesSent } = (await mailbox.call('getMailbox')).mailbox!;
    expect(messagesSent).toBeGreaterThanOrEqual(before);
    expect(messagesSent).toBe(BigInt(waiting.length));
  });

  it('ends a Connect without a response of the daemon, and leaves no mailbox', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.resume().on('error', () => {})));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void mute.close());
    const { client, registry } = await startSidecar({
      daemons: [`${(mute.address() as AddressInfo).port}@127.0.0.1`],
    });
    expect(await failureOf(call(client, 'connect', {}, soon()))).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      info: { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'not-sent' } },
    });
    expect(registry.sizes().open).toBe(0);
    await until(() => sockets.every((socket) => socket.closed), { what: 'the attempt ended' });
  });
});

describe('a caller that disconnects', () => {
  it('frees the resources of its waiting calls', async () => {
    const { proxy, mailbox, server, ends } = await start();
    proxy.silent = true;
    const joining = mailbox.client.join({ mailboxId: mailbox.id, group: 'chat', awaitView: true }, () => {});
    await until(() => server.openCalls === 1);
    joining.cancel();
    await until(() => server.openCalls === 0);
    expect(ends.seen.at(-1)).toBe('Join CANCELLED');
    proxy.silent = false;
  });
});
