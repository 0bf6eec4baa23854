import { status } from '@grpc/grpc-js';
import { AGREED_MESS, connect, SAFE_MESS, SELF_DISCARD } from 'spread-sidecar-client';
import { type ConnectRequest, type MulticastRequest, ServiceType } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { fakeMailbox, fakeService, sidecarAt } from '../../support/clients/client.js';
import { FakeMailboxService } from '../../support/clients/fake-mailbox-service.js';
import { temporaryFolder } from '../../support/tmp.js';
import { until, within } from '../../support/until.js';

describe('connect', () => {
  it('sends no options by default and returns the settings', async () => {
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

  it('sends all options', async () => {
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

  it.each([true, false])('accepts %s for reconnect', async (reconnect) => {
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
  ])('rejects a %s that the contract cannot represent', async (field, options) => {
    const sidecar = sidecarAt((await fakeService()).target);
    await expect(sidecar.connect(options)).rejects.toMatchObject({
      statusName: 'INVALID_ARGUMENT',
      metadata: { field },
    });
  });

  it("fails with the sidecar's error", async () => {
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

  it('fails fast without a sidecar', async () => {
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

  it('ignores the proxy of the environment', async () => {
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
  it('join, leave and view a group', async () => {
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

  it('send to one group and to several, and return the size', async () => {
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

  it.each([1.5, Number.NaN, 2 ** 31])('reject a message type of %d', async (type) => {
    const { mailbox } = await fakeMailbox();
    await expect(mailbox.multicast(SAFE_MESS, 'g', '', type)).rejects.toMatchObject({
      code: 'ILLEGAL_MESSAGE',
      number: -13,
      outcome: 'not-sent',
    });
  });

  it('poll and return the state', async () => {
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

  it("have the channel's timeout by default", async () => {
    const service = await fakeService();
    service.fail('getVersion', 'hang');
    const sidecar = sidecarAt(service.target, { callTimeoutMs: 50 });
    await expect(sidecar.version()).rejects.toMatchObject({ statusName: 'DEADLINE_EXCEEDED' });
  });

  it('are cancelled by their signal, with its reason as the cause', async () => {
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
