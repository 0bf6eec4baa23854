import { Metadata, status } from '@grpc/grpc-js';
import { type MailboxServiceClient, ReceiveRequest } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { refusals } from '../support/sidecars/limits.js';
import { failureOf, rpcErrorOf } from '../support/sidecars/rpc-error.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { call, message, Receiving, Sending, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { until } from '../support/until.js';

const ALICE = 'alice-token-0123456789';
const BOB = 'bob-token-0123456789abc';
const as = (token: string) => ({ metadata: { authorization: `Bearer ${token}` } });

const refused = (reason: string, limit: string, bound: string) => ({
  code: status.RESOURCE_EXHAUSTED,
  info: { reason, domain: 'spread-sidecar', metadata: { limit, bound } },
});
/** Calls that stay open. */
function watch(client: MailboxServiceClient, mailboxId: string, token?: string) {
  const headers = new Metadata();
  if (token) headers.set('authorization', `Bearer ${token}`);
  return new Sending(client.multicastStream(headers), mailboxId);
}

describe('calls', () => {
  it('limits.maxCalls: rejects one more call than allowed, with a retry delay', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_CALLS: '16' });
    const client = sidecar.rawClient();
    const { id } = await TestMailbox.open(client);
    const open = Array.from({ length: 15 }, () => watch(client, id));
    await Promise.all(open.map((stream) => until(() => stream.answers.length === 1)));
    // The sixteenth call.
    await call(client, 'getVersion', {});
    open.push(watch(client, id));
    await until(() => open.at(-1)!.answers.length === 1);
    const failure = await failureOf(call(client, 'getVersion', {}));
    expect(failure).toMatchObject(refused('TOO_MANY_CALLS', 'limits.maxCalls', '16'));
    expect(failure.retryDelayMs).toBe(1000);
    expect(await watch(client, id).failure()).toMatchObject({ info: { reason: 'TOO_MANY_CALLS' } });
    // A health check is always answered, so that a prober sees that the sidecar lives.
    await new Promise<void>((resolve, reject) => {
      const bytes = (value: Buffer) => value;
      const path = '/grpc.health.v1.Health/Check';
      client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), (error) =>
        error ? reject(error) : resolve(),
      );
    });
    open[0]!.stream.cancel();
    await until(() => call(client, 'getVersion', {}).catch(() => false), { what: 'there is room again' });
    expect(await refusals(sidecar, 'limits.maxCalls')).toBeGreaterThanOrEqual(2);
    expect(sidecar.log().match(/"limit":"limits.maxCalls"/g)).toHaveLength(1);
  });

  it('limits.maxCallsPerClient: applies to each client', async () => {
    const sidecar = await startSecured({ GRPC_TOKENS: `${ALICE},${BOB}`, LIMITS_MAX_CALLS_PER_CLIENT: '2' });
    const client = sidecar.rawClient();
    const { mailboxId } = await call(client, 'connect', {}, as(ALICE));
    const streams = [watch(client, mailboxId, ALICE)];
    await until(() => streams[0]!.answers.length === 1);
    await call(client, 'getVersion', {}, as(ALICE));
    streams.push(watch(client, mailboxId, ALICE));
    await until(() => streams[1]!.answers.length === 1);
    expect(await failureOf(call(client, 'getVersion', {}, as(ALICE)))).toMatchObject(
      refused('TOO_MANY_CALLS', 'limits.maxCallsPerClient', '2'),
    );
    await call(client, 'getVersion', {}, as(BOB));
    expect(await refusals(sidecar, 'limits.maxCallsPerClient')).toBe(1);
  });

  it('limits.maxCallsPerSecond: applies to each client, and states the retry delay', async () => {
    const sidecar = await startSecured({ GRPC_TOKENS: `${ALICE},${BOB}`, LIMITS_MAX_CALLS_PER_SECOND: '3' });
    const client = sidecar.rawClient();
    // Twenty concurrent calls: the first and the last start far less than a second apart.
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => call(client, 'getVersion', {}, as(ALICE))),
    );
    const late = all.flatMap((one) =>
      one.status === 'rejected' ? [failureOf(Promise.reject(one.reason))] : [],
    );
    expect(all.length - late.length).toBeGreaterThanOrEqual(3);
    expect(all.length - late.length).toBeLessThan(8);
    const failure = await late[0]!;
    expect(failure).toMatchObject(refused('RATE_LIMITED', 'limits.maxCallsPerSecond', '3'));
    expect(failure.retryDelayMs).toBeGreaterThan(0);
    expect(failure.retryDelayMs).toBeLessThanOrEqual(334);
    await call(client, 'getVersion', {}, as(BOB));
    await new Promise((resolve) => setTimeout(resolve, failure.retryDelayMs));
    await until(() => call(client, 'getVersion', {}, as(ALICE)).catch(() => false), {
      what: 'there is room',
    });
    expect(await refusals(sidecar, 'limits.maxCallsPerSecond')).toBeGreaterThanOrEqual(late.length);
  });
});

describe('health', () => {
  it('health.watchers: limits concurrent watchers', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_CALLS: '16' });
    const client = sidecar.rawClient();
    const same = (bytes: Buffer) => bytes;
    const watchHealth = () => {
      const path = '/grpc.health.v1.Health/Watch';
      const stream = client.makeServerStreamRequest(path, same, same, Buffer.alloc(0));
      stream.on('error', () => {});
      const firstStatus = new Promise<unknown>((resolve) => {
        stream.once('data', () => resolve(true));
        stream.once('status', resolve);
      });
      return { stream, firstStatus };
    };
    const watchers = Array.from({ length: 1000 }, watchHealth);
    for (const { firstStatus } of watchers) expect(await firstStatus).toBe(true);
    expect(rpcErrorOf(await watchHealth().firstStatus)).toMatchObject(
      refused('TOO_MANY_CALLS', 'health.watchers', '1000'),
    );
    watchers[0]!.stream.cancel();
    await until(async () => (await watchHealth().firstStatus) === true, { what: 'there is room' });
    client.close();
  });
});

describe('messages', () => {
  it('limits.maxMessagesPerSecond: rejects a Multicast above the rate without sending it', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_MESSAGES_PER_SECOND: '5' });
    const client = sidecar.rawClient();
    const mailbox = await TestMailbox.open(client);
    await mailbox.call('join', { group: 'g', awaitView: true });
    const receiving = mailbox.receive();
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => mailbox.send('g', `${i}`)));
    const sent = results.flatMap((one, i) => (one.status === 'fulfilled' ? [`${i}`] : []));
    const [failed] = results.filter((one) => one.status === 'rejected');
    expect(sent.length).toBeGreaterThanOrEqual(5);
    expect(sent.length).toBeLessThan(10);
    expect(await failureOf(Promise.reject(failed?.reason))).toMatchObject({
      ...refused('RATE_LIMITED', 'limits.maxMessagesPerSecond', '5'),
      info: { metadata: { outcome: 'not-sent' } },
    });
    await until(async () => mailbox.send('g', 'last').catch(() => false));
    await until(() => receiving.texts.includes('last'));
    expect(receiving.texts).toEqual([...sent, 'last']);
    expect(await refusals(sidecar, 'limits.maxMessagesPerSecond')).toBeGreaterThanOrEqual(10);
  });

  it('limits.maxMessagesPerSecond: delays the next batch of a MulticastStream, and loses no message', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_MESSAGES_PER_SECOND: '100' });
    const client = sidecar.rawClient();
    const mailbox = await TestMailbox.open(client);
    const sending = mailbox.stream();
    const batch = (count: number) => Array.from({ length: count }, () => message('g', 'x'));
    const startedAt = performance.now();
    sending.batch(...batch(100));
    sending.batch(...batch(50));
    sending.batch(...batch(1));
    sending.stream.end();
    expect((await sending.end).code).toBe(status.OK);
    // 51 messages more than the initial allowance: the last batch waits for 50 of them.
    expect(performance.now() - startedAt).toBeGreaterThan(450);
    expect(sending.answers.at(-1)).toMatchObject({ decided: 151n, accepted: 151n });
    expect(await refusals(sidecar, 'limits.maxMessagesPerSecond')).toBe(0);
  });

  it('limits.maxBatchMessages: accepts a batch at the limit, and sends nothing of a larger one', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_BATCH_MESSAGES: '3' });
    const client = sidecar.rawClient();
    const mailbox = await TestMailbox.open(client);
    const sending = mailbox.stream();
    const batch = (count: number) => Array.from({ length: count }, () => message('g', 'x'));
    for (const count of [0, 2, 3]) sending.batch(...batch(count));
    await until(() => Number(sending.answers.at(-1)?.decided) === 5);
    sending.batch(...batch(4));
    expect(await sending.failure()).toMatchObject({
      code: status.INVALID_ARGUMENT,
      info: {
        reason: 'LIMIT_OUT_OF_RANGE',
        metadata: { field: 'batch.messages', limit: 'limits.maxBatchMessages', bound: '0 to 3 messages' },
      },
    });
    expect(Number((await mailbox.call('getMailbox', {})).mailbox?.messagesSent)).toBe(5);
    expect(await refusals(sidecar, 'limits.maxBatchMessages')).toBe(1);
  });
});

describe('mailboxes', () => {
  it('mailbox.maxMailboxes: counts the mailboxes of all clients', async () => {
    const sidecar = await startSecured({ GRPC_TOKENS: `${ALICE},${BOB}`, MAILBOX_MAX_MAILBOXES: '2' });
    const client = sidecar.rawClient();
    const first = await call(client, 'connect', {}, as(ALICE));
    await call(client, 'connect', {}, as(BOB));
    for (const token of [ALICE, BOB])
      expect(await failureOf(call(client, 'connect', {}, as(token)))).toMatchObject(
        refused('TOO_MANY_MAILBOXES', 'mailbox.maxMailboxes', '2'),
      );
    await call(client, 'disconnect', { mailboxId: first.mailboxId }, as(ALICE));
    await call(client, 'connect', {}, as(BOB));
    expect(await refusals(sidecar, 'mailbox.maxMailboxes')).toBe(2);
  });

  it('limits.maxMailboxesPerClient: counts mailboxes by token', async () => {
    const sidecar = await startSecured({
      GRPC_TOKENS: `${ALICE},${BOB}`,
      LIMITS_MAX_MAILBOXES_PER_CLIENT: '2',
    });
    const client = sidecar.rawClient();
    const first = await call(client, 'connect', {}, as(ALICE));
    await call(client, 'connect', {}, as(ALICE));
    expect(await failureOf(call(client, 'connect', {}, as(ALICE)))).toMatchObject(
      refused('TOO_MANY_MAILBOXES', 'limits.maxMailboxesPerClient', '2'),
    );
    await call(client, 'connect', {}, as(BOB));
    await call(client, 'disconnect', { mailboxId: first.mailboxId }, as(ALICE));
    await call(client, 'connect', {}, as(ALICE));
    expect(await refusals(sidecar, 'limits.maxMailboxesPerClient')).toBe(1);
  });

  it('limits.maxMailboxesPerClient: counts mailboxes by address without credentials', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_MAILBOXES_PER_CLIENT: '1' });
    await call(sidecar.rawClient(), 'connect', {});
    expect(await failureOf(call(sidecar.rawClient(), 'connect', {}))).toMatchObject({
      info: { reason: 'TOO_MANY_MAILBOXES' },
    });
  });

  it('mailbox.maxGroups: counts the groups of one mailbox', async () => {
    const sidecar = await startSecured({ MAILBOX_MAX_GROUPS: '2' });
    const mailbox = await TestMailbox.open(sidecar.rawClient());
    for (const group of ['a', 'b', 'a']) await mailbox.call('join', { group });
    expect(await failureOf(mailbox.call('join', { group: 'c' }))).toMatchObject(
      refused('TOO_MANY_GROUPS', 'mailbox.maxGroups', '2'),
    );
    await mailbox.call('leave', { group: 'a' });
    await mailbox.call('join', { group: 'c' });
    expect(await refusals(sidecar, 'mailbox.maxGroups')).toBe(1);
  });
});

describe('a rejected call', () => {
  it('leaves no stream open, even if its client continues to send', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_CALLS_PER_CLIENT: '1' });
    const client = sidecar.rawClient();
    const { id } = await TestMailbox.open(client);
    const stream = watch(client, id);
    await until(() => stream.answers.length === 1);
    for (let i = 0; i < 50; i++) {
      const headers = new Metadata();
      const receiving = new Receiving(client.receive(ReceiveRequest.fromPartial({ mailboxId: id }), headers));
      expect((await receiving.failure()).info?.reason).toBe('TOO_MANY_CALLS');
      expect((await watch(client, id).failure()).info?.reason).toBe('TOO_MANY_CALLS');
    }
    stream.stream.end();
    expect((await stream.end).code).toBe(status.OK);
    await until(() => call(client, 'getVersion', {}).catch(() => false));
  });
});
