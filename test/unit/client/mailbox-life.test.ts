import { inspect } from 'node:util';
import { status } from '@grpc/grpc-js';
import { connect, type MailboxInfo, SAFE_MESS, SpreadSidecar, version } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { fakeMailbox, fakeService, sidecarAt } from '../../support/clients/client.js';
import { FakeMailboxService } from '../../support/clients/fake-mailbox-service.js';
import { until, within } from '../../support/until.js';

describe('the life of a mailbox', () => {
  it('continues while the mailbox is not used', async () => {
    const { service, mailbox } = await fakeMailbox({ leaseMs: 300 });
    await until(() => service.count('poll') >= 3);
    await mailbox.disconnect();
  });

  it('is not extended when that is disabled, nor by pings while a stream keeps it', async () => {
    const first = await fakeMailbox({ leaseMs: 200, keepAlive: false });
    const second = await fakeMailbox({ leaseMs: 200, autoReceive: true });
    const third = await fakeMailbox({ leaseMs: 200 });
    await until(() => third.service.count('poll') >= 4);
    expect(first.service.count('poll')).toBe(0);
    // Waits until the stream is attached.
    await until(() => second.mailbox.lastSequence === 0n && second.service.count('receive') > 0);
    const [before, others] = [second.service.count('poll'), third.service.count('poll')];
    await until(() => third.service.count('poll') >= others + 4);
    expect(second.service.count('poll') - before).toBeLessThanOrEqual(1);
  });

  it('ends once for any number of calls', async () => {
    const { mailbox, service } = await fakeMailbox();
    expect(await Promise.all([mailbox.disconnect(), mailbox.disconnect()])).toEqual([true, true]);
    await mailbox[Symbol.asyncDispose]();
    expect(service.count('disconnect')).toBe(1);
    await expect(mailbox.join('g')).rejects.toMatchObject({ code: 'ILLEGAL_SESSION' });
  });

  it("prints a rejection once, with the caller's stack frames", async () => {
    const service = await fakeService();
    service.fail('connect', {
      code: status.INVALID_ARGUMENT,
      message: 'no such thing',
      reason: 'FIELD_INVALID',
    });
    const error = await connect({ target: service.target }).catch((error) => error);
    const printed = inspect(error);
    expect(printed.split('no such thing')).toHaveLength(2);
    expect(printed).toContain('mailbox-life.test.ts');
  });

  it('passes on the options of the end', async () => {
    const { mailbox, service } = await fakeMailbox();
    await mailbox.disconnect({ leaveGroupsFirst: true });
    expect(service.calls.at(-1)?.request).toMatchObject({ leaveGroupsFirst: true, abort: false });
  });

  it('releases its resources even if the call fails', async () => {
    const service = await fakeService();
    const mailbox = await connect({ target: service.target });
    const waiting = mailbox.receive().catch((error) => error);
    await until(() => service.mailbox.attached);
    service.fail('disconnect', { code: status.RESOURCE_EXHAUSTED });
    await expect(mailbox.disconnect()).rejects.toMatchObject({ statusName: 'RESOURCE_EXHAUSTED' });
    expect(await waiting).toMatchObject({ code: 'ILLEGAL_SESSION' });
    await until(() => !service.mailbox.attached);
  });

  it.each([
    { code: status.UNAVAILABLE },
    { code: status.UNAVAILABLE, reason: 'DRAINING' },
    { code: status.ABORTED, reason: 'LEASE_EXPIRED' },
    { code: status.NOT_FOUND, reason: 'ILLEGAL_SESSION', domain: 'spread.org' },
    { code: status.RESOURCE_EXHAUSTED, reason: 'QUEUE_OVERFLOW' },
  ])('does not fail when the mailbox has ended: $reason', async (fault) => {
    const service = await fakeService();
    const mailbox = await connect({ target: service.target });
    service.fail('disconnect', fault);
    expect(await mailbox.disconnect()).toBe(false);
  });

  it('fails when the caller has cancelled it', async () => {
    const service = await fakeService();
    const mailbox = await connect({ target: service.target });
    const signal = AbortSignal.abort();
    await expect(mailbox.disconnect({ signal })).rejects.toMatchObject({ statusName: 'CANCELLED' });
  });

  it('does not hide the error of an await using block', async () => {
    const service = await fakeService();
    const error = new Error('of the block');
    service.fail('disconnect', ...Array(2).fill({ code: status.RESOURCE_EXHAUSTED }));
    const useMailbox = async () => {
      await using _mailbox = await connect({ target: service.target });
      throw error;
    };
    await expect(useMailbox()).rejects.toBe(error);
    const useChannel = async () => {
      await using sidecar = new SpreadSidecar({ target: service.target });
      await sidecar.connect();
      throw error;
    };
    await expect(useChannel()).rejects.toBe(error);
  });

  it('does not wait for an application that does not receive', async () => {
    const { mailbox, fake, service } = await fakeMailbox({ maxBufferedEvents: 2 });
    for (let i = 0; i < 1000; i += 1) fake.message('x'.repeat(1000));
    await mailbox.receive();
    expect(await within(mailbox.disconnect(), 'disconnect')).toBe(true);
    expect(service.mailboxes.size).toBe(0);
    let rest = 0;
    for await (const _ of mailbox) rest += 1;
    expect(rest).toBeGreaterThan(0);
  });

  it('moves to another owner', async () => {
    const { mailbox, fake, sidecar, service } = await fakeMailbox();
    for (const text of ['1', '2', '3']) fake.message(text);
    await mailbox.receive();
    const handed = mailbox.detach();
    expect(handed).toEqual({ mailboxId: fake.id, afterSequence: 1n });
    const { mailboxId, ...options } = handed;
    const other = await sidecarAt(service.target).attach(mailboxId, options);
    expect(await other.receive()).toMatchObject({ sequence: 2n });
    expect(service.count('disconnect')).toBe(0);
    const byDefault = await sidecar.attach(mailboxId);
    fake.message('4');
    expect(await byDefault.receive()).toMatchObject({ sequence: 4n });
  });

  it('ends with its channel, unless it is detached', async () => {
    const service = await fakeService();
    const first = new SpreadSidecar({ target: service.target });
    await first.connect();
    await first.close();
    expect(service.mailboxes.size).toBe(0);
    const second = new SpreadSidecar({ target: service.target });
    await second.connect();
    await second.close({ keepMailboxes: true });
    expect(service.mailboxes.size).toBe(1);
    await expect(second.version()).rejects.toThrow();
  });

  it('leaves no timer and no socket', async () => {
    const service = await fakeService();
    const count = (kind: string) => process.getActiveResourcesInfo().filter((name) => name === kind).length;
    const timers = count('Timeout');
    for (const broken of [false, true]) {
      const mailbox = await connect({ target: service.target, autoReceive: true, leaseMs: 1000 });
      const sender = mailbox.sender();
      await sender.send(SAFE_MESS, 'g', 'x');
      await sender.flush();
      const taking = mailbox.receive({ timeoutMs: 60_000 }).catch(() => {});
      if (broken) service.mailbox.fail({ code: status.UNAVAILABLE });
      await mailbox.disconnect();
      await taking;
    }
    // The sockets of both ends are in this process; they close in the next turns.
    await until(() => count('TCPSocketWrap') === 0 && count('Timeout') <= timers);
  });
});

describe('the sidecar', () => {
  it('returns its versions', async () => {
    const { sidecar, service } = await fakeMailbox();
    service.version = { daemon: { major: 5, minor: 0, patch: 1 }, daemonAddress: '4803@localhost' };
    expect(await sidecar.version()).toEqual({
      sidecar: '0.1.0',
      contract: 'spread.sidecar.v1',
      clientProtocol: [5, 0, 1],
      daemon: [5, 0, 1],
      daemonAddress: '4803@localhost',
      embeddedDaemon: true,
    });
    expect(await version({ target: service.target })).toEqual([5, 0, 1]);
  });

  it('lists mailboxes over all pages, with the token', async () => {
    const { sidecar, service } = await fakeMailbox();
    const groups: string[] = [];
    const mailboxes: AsyncIterable<MailboxInfo> = sidecar.listMailboxes('secret');
    for await (const mailbox of mailboxes) groups.push(mailbox.privateGroup);
    expect(groups).toEqual(['#a#b', '#c#d']);
    expect(service.calls.at(-1)?.headers).toMatchObject({ authorization: 'Bearer secret' });
  });

  it('does not repeat a page forever', async () => {
    const { sidecar, service } = await fakeMailbox();
    service.pageAfterNext = 'next';
    const listing = (async () => {
      for await (const _ of sidecar.listMailboxes('secret'));
    })();
    await expect(listing).rejects.toMatchObject({
      statusName: 'INTERNAL',
      message: expect.stringContaining('page'),
    });
  });

  it('sends its headers with every call', async () => {
    const service = await fakeService();
    const sidecar = sidecarAt(service.target, { headers: { 'x-tenant': 'blue' } });
    const mailbox = await sidecar.connect({ autoReceive: true });
    await until(() => service.mailbox.attached);
    await mailbox.poll();
    for (const call of service.calls) expect(call.headers).toMatchObject({ 'x-tenant': 'blue' });
  });

  it('can be waited for until it responds', async () => {
    const service = await fakeService();
    const { port } = service;
    service.stop();
    const sidecar = sidecarAt(`127.0.0.1:${port}`);
    let ready = false;
    const waiting = sidecar.waitForReady({ timeoutMs: 15_000 }).then(() => {
      ready = true;
    });
    await expect(sidecar.version()).rejects.toMatchObject({ statusName: 'UNAVAILABLE' });
    expect(ready).toBe(false);
    const later = await FakeMailboxService.start(`127.0.0.1:${port}`);
    await waiting;
    later.stop();
  });

  it('can be waited for until its daemon responds, if requested', async () => {
    const { sidecar, service } = await fakeMailbox();
    await sidecar.waitForReady();
    const waiting = sidecar.waitForReady({ daemon: true });
    await until(() => service.count('getVersion') >= 3);
    service.version = { daemon: { major: 5, minor: 0, patch: 1 } };
    await waiting;
  });

  it('is not waited for longer than the timeout', async () => {
    const sidecar = sidecarAt('127.0.0.1:1');
    const error = await sidecar.waitForReady({ timeoutMs: 200 }).catch((e) => e);
    expect(error).toMatchObject({ statusName: 'DEADLINE_EXCEEDED' });
    expect(error.message).toMatch(/127\.0\.0\.1:1 was not ready within 200 ms: .*connection refused/);
    const controller = new AbortController();
    const waiting = sidecar.waitForReady({ signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ statusName: 'CANCELLED' });
  });

  it('is named with its last failure, not with the deadline of the wait', async () => {
    const { sidecar, service } = await fakeMailbox();
    service.fail('getVersion', { code: status.UNAVAILABLE, message: 'the reason' }, 'hang');
    await expect(sidecar.waitForReady({ timeoutMs: 300 })).rejects.toMatchObject({
      statusName: 'DEADLINE_EXCEEDED',
      message: expect.stringMatching(/was not ready within 300 ms: .*the reason/),
    });
    expect(service.count('getVersion')).toBe(2);
  });

  it('is not waited for when waiting does not help', async () => {
    const service = await fakeService();
    service.fail('getVersion', { code: status.UNIMPLEMENTED });
    await expect(sidecarAt(service.target).waitForReady()).rejects.toMatchObject({
      statusName: 'UNIMPLEMENTED',
    });
  });
});
