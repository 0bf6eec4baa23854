import { inspect } from 'node:util';
import { status } from '@grpc/grpc-js';
import {
  AGREED_MESS,
  connect,
  type MailboxInfo,
  SAFE_MESS,
  SELF_DISCARD,
  SpreadSidecar,
  version,
} from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import type {
  ConnectRequest,
  MulticastRequest,
} from '../../../clients/typescript/src/gen/spread/sidecar/v1/mailbox_service.js';
import { ServiceType } from '../../../clients/typescript/src/gen/spread/sidecar/v1/types.js';
import { fakeMailbox, fakeService, sidecarAt } from '../../support/clients/client.js';
import { FakeMailboxService } from '../../support/clients/fake-mailbox-service.js';
import { temporaryFolder } from '../../support/tmp.js';
import { until, within } from '../../support/until.js';

describe('connect', () => {
  it('asks for nothing by default and tells what it got', async () => {
    const { service, mailbox } = await fakeMailbox();
    expect(service.calls[0]?.request).toEqual({
      daemon: '',
      privateName: '',
      onNameConflict: 0,
      priority: 0,
      membership: undefined,
      auth: undefined,
      lease: undefined,
      reconnect: undefined,
      queue: undefined,
      acknowledgement: 0,
      endWithConnection: false,
    });
    expect(mailbox).toMatchObject({
      privateGroup: '#me#fake',
      daemon: '4803@localhost',
      daemonVersion: [5, 0, 1],
      acknowledgement: 'AUTO',
      lastSequence: 0n,
      limits: {
        leaseMs: 30_000,
        queue: { maxEvents: 10, maxBytes: 11, replayBytes: 12, overflow: 'PAUSE' },
        maxGroupsPerMessage: 43,
        maxMessageBytes: 143_151,
        maxGroups: 1000,
        maxSendQueueBytes: 1 << 20,
      },
    });
    expect(mailbox.id).toBe(service.mailbox.id);
  });

  it('asks for everything that is wished', async () => {
    const { service } = await fakeMailbox({
      spreadName: '4803@there',
      privateName: 'alice',
      onNameConflict: 'SUFFIX',
      priority: 1,
      membership: false,
      leaseMs: 1500.5,
      reconnect: { giveUpAfterMs: 2500, onNameLoss: 'SUFFIX', queueMulticasts: true },
      queue: { maxEvents: 5, overflow: 'DISCONNECT', softLimit: { timeMs: 1500 } },
      acknowledgement: 'EXPLICIT',
      endWithConnection: true,
    });
    expect(service.calls[0]?.request).toMatchObject({
      daemon: '4803@there',
      privateName: 'alice',
      onNameConflict: 2,
      priority: 1,
      membership: false,
      lease: { seconds: 1n, nanos: 500_500_000 },
      reconnect: {
        enabled: true,
        giveUpAfter: { seconds: 2n, nanos: 500_000_000 },
        onNameLoss: 2,
        queueMulticasts: true,
      },
      queue: {
        maxEvents: 5n,
        maxBytes: 0n,
        replayBytes: 0n,
        overflow: 2,
        softLimit: { fraction: 0, time: { seconds: 1n, nanos: 500_000_000 } },
      },
      acknowledgement: 2,
      endWithConnection: true,
    } satisfies Partial<ConnectRequest>);
  });

  it.each([true, false])('reconnect may be just %s', async (reconnect) => {
    const { service } = await fakeMailbox({ reconnect });
    const defaults = { giveUpAfter: undefined, onNameLoss: 0, queueMulticasts: false };
    expect(service.calls[0]?.request).toMatchObject({ reconnect: { enabled: reconnect, ...defaults } });
  });

  it.each([
    ['reconnect.giveUpAfterMs', { reconnect: { giveUpAfterMs: -1 } }],
    ['leaseMs', { leaseMs: Number.NaN }],
    ['leaseMs', { leaseMs: -1 }],
    ['queue.maxEvents', { queue: { maxEvents: 1.5 } }],
    ['queue.softLimit.fraction', { queue: { softLimit: { fraction: 1.5 } } }],
    ['queue.softLimit.timeMs', { queue: { softLimit: { timeMs: -1 } } }],
    ['maxOutstandingEvents', { maxOutstandingEvents: -1 }],
    ['timeoutMs', { timeoutMs: 0 }],
  ])('refuses a %s that the contract can not carry', async (field, options) => {
    const sidecar = sidecarAt((await fakeService()).target);
    await expect(sidecar.connect(options)).rejects.toMatchObject({
      statusName: 'INVALID_ARGUMENT',
      metadata: { field },
    });
  });

  it('fails as the sidecar says', async () => {
    const service = await fakeService();
    const metadata = { spread_code: '-6' };
    const fault = {
      code: status.ALREADY_EXISTS,
      reason: 'REJECT_NOT_UNIQUE',
      domain: 'spread.org',
      metadata,
    };
    service.fail('connect', fault);
    await expect(connect({ target: service.target })).rejects.toMatchObject({
      code: 'REJECT_NOT_UNIQUE',
      number: -6,
    });
  });

  it('fails soon when nobody is there', async () => {
    const failure = connect({ target: '127.0.0.1:1' });
    await expect(within(failure, 'connect fails')).rejects.toMatchObject({
      statusName: 'UNAVAILABLE',
      retryable: true,
    });
  });

  it('reaches a Unix socket', async () => {
    const target = `unix:${temporaryFolder()}/s`;
    const service = await FakeMailboxService.start(target);
    try {
      const mailbox = await connect({ target });
      expect(mailbox.privateGroup).toBe('#me#fake');
      expect(await mailbox.disconnect()).toBe(true);
    } finally {
      service.stop();
    }
  });

  it('does not ask the proxy of the environment for a sidecar', async () => {
    const service = await fakeService();
    process.env.http_proxy = 'http://127.0.0.1:1';
    try {
      const mailbox = await connect({ target: service.target });
      await mailbox.disconnect();
    } finally {
      delete process.env.http_proxy;
    }
  });
});

describe('calls of a mailbox', () => {
  it('join, leave and look at a group', async () => {
    const { mailbox, service } = await fakeMailbox();
    expect(await mailbox.join('g')).toBeUndefined();
    const view = await mailbox.join('h', { awaitView: true });
    expect(view).toMatchObject({ kind: 'view', group: 'h', members: ['#me#fake'], sequence: 0n });
    expect(view?.receivedAt).toBeUndefined();
    expect(await mailbox.leave('g')).toBeUndefined();
    expect(await mailbox.leave('h', { awaitView: true })).toMatchObject({ kind: 'selfLeave', group: 'h' });
    expect(await mailbox.view('h')).toMatchObject({ inTransition: true, view: { group: 'h' } });
    const awaited = service.calls.filter((call) => call.method === 'join').map((call) => call.request);
    expect(awaited).toMatchObject([
      { group: 'g', awaitView: false },
      { group: 'h', awaitView: true },
    ]);
  });

  it('send to one group and to several, and return the bytes', async () => {
    const { mailbox, service } = await fakeMailbox();
    expect(await mailbox.multicast(SAFE_MESS, 'g', 'grüß')).toBe(6);
    expect(await mailbox.multicast(AGREED_MESS | SELF_DISCARD, 'g', new Uint8Array(3), -7)).toBe(3);
    expect(await mailbox.multigroupMulticast(AGREED_MESS, ['a', '#b#c'], '', 1, { selfDiscard: true })).toBe(
      0,
    );
    const sent = service.calls.filter((call) => call.method === 'multicast').map((call) => call.request);
    expect(sent as MulticastRequest[]).toMatchObject([
      { message: { serviceType: ServiceType.SAFE, groups: ['g'], messageType: 0, selfDiscard: false } },
      { message: { serviceType: ServiceType.AGREED, messageType: -7, selfDiscard: true } },
      { message: { groups: ['a', '#b#c'], messageType: 1, selfDiscard: true } },
    ]);
  });

  it.each([1.5, Number.NaN, 2 ** 31])('refuse a message type of %d', async (type) => {
    const { mailbox } = await fakeMailbox();
    await expect(mailbox.multicast(SAFE_MESS, 'g', '', type)).rejects.toMatchObject({
      code: 'ILLEGAL_MESSAGE',
      number: -13,
      outcome: 'not-sent',
    });
  });

  it('poll and tell the state', async () => {
    const { mailbox } = await fakeMailbox();
    expect(await mailbox.poll()).toEqual({
      bufferedEvents: 0,
      waitingEvents: 0,
      waitingBytes: 100,
      state: 'OPEN',
    });
    expect(await mailbox.info()).toMatchObject({
      privateGroup: '#me#fake',
      state: 'OPEN',
      deliveredSequence: 3n,
      limits: { leaseMs: 30_000 },
    });
  });

  it('end at their timeout, with the outcome of a send unknown', async () => {
    const { mailbox, service } = await fakeMailbox();
    service.fail('multicast', 'hang');
    service.fail('join', 'hang');
    const sending = mailbox.multicast(SAFE_MESS, 'g', 'x', 0, { timeoutMs: 50 });
    await expect(sending).rejects.toMatchObject({ statusName: 'DEADLINE_EXCEEDED', outcome: 'unknown' });
    const joining = mailbox.join('g', { timeoutMs: 50 });
    await expect(joining).rejects.toMatchObject({ statusName: 'DEADLINE_EXCEEDED', outcome: undefined });
  });

  it("have the channel's timeout when they name none", async () => {
    const service = await fakeService();
    service.fail('getVersion', 'hang');
    const sidecar = sidecarAt(service.target, { callTimeoutMs: 50 });
    await expect(sidecar.version()).rejects.toMatchObject({ statusName: 'DEADLINE_EXCEEDED' });
  });

  it('end by their signal, with its reason as the cause', async () => {
    const { mailbox, service } = await fakeMailbox();
    service.fail('multicast', 'hang');
    const controller = new AbortController();
    const { signal } = controller;
    const sending = mailbox.multicast(SAFE_MESS, 'g', 'x', 0, { signal });
    await until(() => service.count('multicast') === 1);
    controller.abort('enough');
    await expect(sending).rejects.toMatchObject({
      statusName: 'CANCELLED',
      outcome: 'unknown',
      cause: 'enough',
    });
    const again = mailbox.multicast(SAFE_MESS, 'g', 'x', 0, { signal });
    await expect(again).rejects.toMatchObject({
      statusName: 'CANCELLED',
      outcome: 'not-sent',
      cause: 'enough',
    });
    expect(service.count('multicast')).toBe(1);
  });
});

describe('the life of a mailbox', () => {
  it('is kept while nothing uses it', async () => {
    const { service, mailbox } = await fakeMailbox({ leaseMs: 300 });
    await until(() => service.count('poll') >= 3);
    await mailbox.disconnect();
  });

  it('is not kept when that is not wished, nor by pings while a stream keeps it', async () => {
    const first = await fakeMailbox({ leaseMs: 200, keepAlive: false });
    const second = await fakeMailbox({ leaseMs: 200, autoReceive: true });
    const third = await fakeMailbox({ leaseMs: 200 });
    await until(() => third.service.count('poll') >= 4);
    expect(first.service.count('poll')).toBe(0);
    // The stream may take its time to stand.
    await until(() => second.mailbox.lastSequence === 0n && second.service.count('receive') > 0);
    const [before, others] = [second.service.count('poll'), third.service.count('poll')];
    await until(() => third.service.count('poll') >= others + 4);
    expect(second.service.count('poll') - before).toBeLessThanOrEqual(1);
  });

  it('ends once, however often it is asked', async () => {
    const { mailbox, service } = await fakeMailbox();
    expect(await Promise.all([mailbox.disconnect(), mailbox.disconnect()])).toEqual([true, true]);
    await mailbox[Symbol.asyncDispose]();
    expect(service.count('disconnect')).toBe(1);
    await expect(mailbox.join('g')).rejects.toMatchObject({ code: 'ILLEGAL_SESSION' });
  });

  it('states a rejection once when it is printed, with the frames of the caller', async () => {
    const service = await fakeService();
    service.fail('connect', {
      code: status.INVALID_ARGUMENT,
      message: 'no such thing',
      reason: 'FIELD_INVALID',
    });
    const error = await connect({ target: service.target }).catch((error) => error);
    const printed = inspect(error);
    expect(printed.split('no such thing')).toHaveLength(2);
    expect(printed).toContain('sidecar.test.ts');
  });

  it('passes on how to end', async () => {
    const { mailbox, service } = await fakeMailbox();
    await mailbox.disconnect({ leaveGroupsFirst: true });
    expect(service.calls.at(-1)?.request).toMatchObject({ leaveGroupsFirst: true, abort: false });
  });

  it('closes this side even if the call fails', async () => {
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
  ])('does not fail when the mailbox has ended: $reason', async (fault) => {
    const service = await fakeService();
    const mailbox = await connect({ target: service.target });
    service.fail('disconnect', fault);
    expect(await mailbox.disconnect()).toBe(false);
  });

  it('fails when the caller has aborted it', async () => {
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

  it('does not wait for an application that takes nothing', async () => {
    const { mailbox, fake, service } = await fakeMailbox({ maxBufferedEvents: 2 });
    for (let i = 0; i < 1000; i += 1) fake.message('x'.repeat(1000));
    await mailbox.receive();
    expect(await within(mailbox.disconnect(), 'disconnect')).toBe(true);
    expect(service.mailboxes.size).toBe(0);
    let rest = 0;
    for await (const _ of mailbox) rest += 1;
    expect(rest).toBeGreaterThan(0);
  });

  it('goes over to another owner', async () => {
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

  it('ends with its channel, unless it is to be kept', async () => {
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

  it('leaves no timer and no socket behind', async () => {
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
  it('tells its versions', async () => {
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

  it('does not list the same page for ever', async () => {
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

  it('is waited for until it is there', async () => {
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

  it('is waited for until its daemon is there, when that is wished', async () => {
    const { sidecar, service } = await fakeMailbox();
    await sidecar.waitForReady();
    const waiting = sidecar.waitForReady({ daemon: true });
    await until(() => service.count('getVersion') >= 3);
    service.version = { daemon: { major: 5, minor: 0, patch: 1 } };
    await waiting;
  });

  it('is not waited for longer than told', async () => {
    const sidecar = sidecarAt('127.0.0.1:1');
    const error = await sidecar.waitForReady({ timeoutMs: 200 }).catch((e) => e);
    expect(error).toMatchObject({ statusName: 'DEADLINE_EXCEEDED' });
    expect(error.message).toMatch(/127\.0\.0\.1:1 was not ready within 200 ms: .*connection refused/);
    const controller = new AbortController();
    const waiting = sidecar.waitForReady({ signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ statusName: 'CANCELLED' });
  });

  it('is not waited for when waiting does not help', async () => {
    const service = await fakeService();
    service.fail('getVersion', { code: status.UNIMPLEMENTED });
    await expect(sidecarAt(service.target).waitForReady()).rejects.toMatchObject({
      statusName: 'UNIMPLEMENTED',
    });
  });
});
