import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { AGREED_MESS, type Mailbox, type SpreadError } from 'spread-sidecar-client';
import { MailboxServiceClient } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Sending, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import {
  adminPage,
  expectNothingLeft,
  startWhole,
  type WholeSidecar,
} from '../support/sidecars/whole-sidecar.js';
import { until, within } from '../support/until.js';

const unready = (started: WholeSidecar) =>
  until(async () => (await adminPage(started, '/readyz'))?.status === 503, { what: 'readyz says 503' });

const failureOf = (call: Promise<unknown>): Promise<SpreadError> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error: SpreadError) => error,
  );

const untilExit = (started: WholeSidecar) => within(started.process.exited, 'the exit', 10_000);

describe('the shutdown delay', () => {
  it('serves as before, but is not ready, until the client disconnects; then it ends early', async () => {
    const started = await startWhole('--shutdown-delay', '60s');
    const mailbox = await started.sidecar.connect({ privateName: 'early' });
    await mailbox.join('g', { awaitView: true });
    started.process.kill('SIGTERM');
    await unready(started);
    expect((await adminPage(started, '/readyz?verbose'))?.body).toContain(
      'the sidecar is about to shut down',
    );
    expect(await adminPage(started, '/livez')).toMatchObject({ status: 200 });

    // The application finishes its work, also with a new mailbox.
    const late = await started.sidecar.connect({ privateName: 'late' });
    await late.multicast(AGREED_MESS, 'g', 'the last word');
    for (;;) {
      const event = await within(mailbox.receive(), 'the message');
      if (event.kind === 'regular') {
        expect(event.text()).toBe('the last word');
        break;
      }
    }
    await started.sidecar.close();
    expect(await untilExit(started)).toEqual({ code: 0, signal: null });
    await expectNothingLeft(started);
  });

  it('ends with the drain, even with connected clients', async () => {
    const started = await startWhole('--shutdown-delay', '300ms');
    const mailbox = await started.sidecar.connect();
    const end = mailbox.receive().catch((error: SpreadError) => error);
    started.process.kill('SIGTERM');
    expect(await untilExit(started)).toEqual({ code: 0, signal: null });
    expect(await end).toMatchObject({ reason: 'DRAINING' });
    expect(started.process.stderr).toMatch(
      /continues to serve clients for the shutdown delay.*draining.*stopped/s,
    );
  });

  it('ends at a second signal, like everything else', async () => {
    const started = await startWhole('--shutdown-delay', '60s');
    await started.sidecar.connect();
    started.process.kill('SIGTERM');
    await unready(started);
    started.process.kill('SIGTERM');
    expect(await untilExit(started)).toEqual({ code: 143, signal: null });
  });
});

/** A mailbox whose receiver reads nothing of its queued events. */
async function stuckMailbox({ sidecar }: WholeSidecar, leaseMs = 30_000): Promise<Mailbox> {
  const stuck = await sidecar.connect({ maxBufferedEvents: 1, autoReceive: true, leaseMs });
  await stuck.join('stuck', { awaitView: true });
  const payload = Buffer.alloc(100_000);
  for (let sent = 0; sent < 100; sent++) await stuck.multicast(AGREED_MESS, 'stuck', payload);
  return stuck;
}

describe('the drain', () => {
  it('notifies all clients concurrently, independent of stalled ones', async () => {
    const started = await startWhole('--drain-grace', '60s');
    const stuck = await stuckMailbox(started);
    const mailbox = await started.sidecar.connect();
    const reading = failureOf(mailbox.receive());
    const idle = mailbox.sender();
    await idle.flush();
    started.process.kill('SIGTERM');
    await unready(started);

    const draining = { statusName: 'UNAVAILABLE', reason: 'DRAINING' };
    expect(await reading).toMatchObject({ ...draining, metadata: { last_sequence: '0' } });
    await until(() => idle.closed, { what: 'the idle sender knows' });
    expect(await failureOf(idle.send(AGREED_MESS, 'g', 'x'))).toMatchObject({
      ...draining,
      outcome: 'not-sent',
    });
    const late = [
      mailbox.multicast(AGREED_MESS, 'g', 'x'),
      stuck.multicast(AGREED_MESS, 'g', 'x'),
      mailbox.join('g', { awaitView: true }),
    ];
    for (const call of late)
      expect(await failureOf(call)).toMatchObject({ ...draining, metadata: { outcome: 'not-sent' } });
    expect(await failureOf(started.sidecar.connect())).toMatchObject({ ...draining, retryable: true });
    stuck.detach();
    expect(await untilExit(started)).toEqual({ code: 0, signal: null });
  });

  it('does not wait for a stalled client longer than the grace period', async () => {
    const started = await startWhole('--drain-grace', '200ms');
    const stuck = await stuckMailbox(started, 1000);
    started.process.kill('SIGTERM');
    expect(await untilExit(started)).toEqual({ code: 0, signal: null });
    const error = await (async () => {
      for (;;) await stuck.receive();
    })().catch((thrown: SpreadError) => thrown);
    // The sidecar discards the unread events when it stops. The status comes after them, so it could not reach the
    // client.
    expect(error).toMatchObject({ statusName: 'UNAVAILABLE', reason: 'SIDECAR_UNREACHABLE' });
  });
});

describe('a call that starts during the drain', () => {
  it('does not extend the drain beyond its grace', async () => {
    const graceMs = 2000;
    const started = await startWhole('--drain-grace', `${graceMs}ms`);
    const client = new MailboxServiceClient(`127.0.0.1:${started.ports.grpc}`, credentials.createInsecure());
    const health = new Client(`127.0.0.1:${started.ports.grpc}`, credentials.createInsecure());
    onTestFinished(() => {
      client.close();
      health.close();
    });
    const payload = Buffer.alloc(100_000);
    const filled = async (group: string) => {
      const mailbox = await TestMailbox.open(client);
      await mailbox.call('join', { group, awaitView: true });
      for (let sent = 0; sent < 30; sent++) await mailbox.send(group, payload);
      await until(async () => (await mailbox.call('getMailbox')).mailbox!.lastSequence === 31n, {
        what: 'the queue is filled',
      });
      return mailbox;
    };
    const unattended = await filled('a');
    const slow = await filled('b');
    const slowly = slow.receive();
    await slowly.attached();
    slowly.stream.pause();

    const startedAt = performance.now();
    started.process.kill('SIGTERM');
    await unready(started);
    const late = unattended.receive();
    await late.attached();
    late.stream.pause();
    const watching = health.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      () => Buffer.alloc(0),
      (bytes) => bytes,
      {},
    );
    watching.on('error', () => {});
    const streams: Sending[] = [];
    const connects: Promise<unknown>[] = [];
    let isStopped = false;
    const begin = async () => {
      while (!isStopped) {
        const stream = unattended.stream();
        streams.push(stream);
        connects.push(TestMailbox.open(client).catch((error: ServiceError) => error.code));
        await within(stream.end, 'the end of the MulticastStream', 10_000);
      }
    };
    const beginning = begin();
    slowly.stream.resume();
    expect(await within(started.process.exited, 'the exit', 20_000)).toEqual({ code: 0, signal: null });
    isStopped = true;
    // Grace period, disconnect and close, as in docs/operations.md, plus an allowance for the load of the machine.
    expect(performance.now() - startedAt).toBeLessThan(graceMs + 2000 + 1500 + 3000);
    expect(slowly.ended).toMatchObject({ code: status.UNAVAILABLE });
    expect(slowly.events).toHaveLength(31);
    await beginning;
    expect(new Set(await Promise.all(connects))).toEqual(new Set([status.UNAVAILABLE]));
    expect(streams.every(({ ended }) => ended?.code === status.UNAVAILABLE)).toBe(true);
  });
});

describe('POST /quitquitquit', () => {
  const quit = (started: WholeSidecar, headers: Record<string, string> = {}) =>
    adminPage(started, '/quitquitquit', { method: 'POST', headers });

  it('drains as a signal does, responds first, and accepts repeated requests', async () => {
    const started = await startWhole(
      '--admin-quitquitquit',
      '--shutdown-delay',
      '60s',
      '--drain-grace',
      '60s',
    );
    // The drain waits for this mailbox.
    const stuck = await stuckMailbox(started);
    expect(await quit(started)).toEqual({ status: 200, body: 'ok\n' });
    await unready(started);
    expect(await quit(started)).toEqual({ status: 200, body: 'ok\n' });
    stuck.detach();
    expect(await untilExit(started)).toEqual({ code: 0, signal: null });
    await expectNothingLeft(started);
  });

  it('ends the delay after a signal, because the application has finished', async () => {
    const started = await startWhole('--admin-quitquitquit', '--shutdown-delay', '60s');
    await started.sidecar.connect();
    started.process.kill('SIGTERM');
    await unready(started);
    expect(await quit(started)).toMatchObject({ status: 200 });
    expect(await untilExit(started)).toEqual({ code: 0, signal: null });
  });

  it('is disabled by default', async () => {
    const started = await startWhole();
    expect(await quit(started)).toMatchObject({ status: 404 });
    expect(await adminPage(started, '/quitquitquit')).toMatchObject({ status: 404 });
    expect(await adminPage(started, '/readyz')).toMatchObject({ status: 200 });
  });
});
