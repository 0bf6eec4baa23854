import { status } from '@grpc/grpc-js';
import type { ConnectRequest, MulticastMessage } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { MAX_REQUEST_FIELDS } from '../../server/src/grpc/codec/malformed.js';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { call, message, type Partially, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';

const seconds = (count: bigint) => ({ seconds: count, nanos: 0 });
const nanos = (count: number) => ({ seconds: 0n, nanos: count });

const refused = (reason: string, field: string) => ({
  code: status.INVALID_ARGUMENT,
  info: { reason, metadata: { field, bound: expect.any(String) } },
});

type Connect = Partially<ConnectRequest>;

describe('Connect', () => {
  it.each<[string, string, string, Connect[], Connect[]]>([
    [
      'private_name',
      'REJECT_ILLEGAL_NAME',
      'private_name',
      [{ privateName: '' }, { privateName: 'x'.repeat(9) }, { privateName: 'x'.repeat(10) }],
      [{ privateName: 'x'.repeat(11) }],
    ],
    ['daemon', 'ILLEGAL_SPREAD', 'daemon', [], [{ daemon: `/${'x'.repeat(300)}` }]],
    ['priority', 'LIMIT_OUT_OF_RANGE', 'priority', [{ priority: 0 }, { priority: 1 }], [{ priority: 2 }]],
    [
      'lease',
      'LIMIT_OUT_OF_RANGE',
      'lease',
      [{ lease: seconds(1n) }, { lease: seconds(3600n) }],
      [{ lease: nanos(999_999_999) }, { lease: seconds(3601n) }],
    ],
    [
      'queue.max_events',
      'LIMIT_OUT_OF_RANGE',
      'queue.max_events',
      [
        { queue: { maxEvents: 0n } },
        { queue: { maxEvents: 999_999n } },
        { queue: { maxEvents: 1_000_000n } },
      ],
      [{ queue: { maxEvents: 1_000_001n } }],
    ],
    [
      'queue.max_bytes',
      'LIMIT_OUT_OF_RANGE',
      'queue.max_bytes',
      [{ queue: { maxBytes: 1n } }, { queue: { maxBytes: 67_108_864n } }],
      [{ queue: { maxBytes: 67_108_865n } }],
    ],
    [
      'queue.replay_bytes',
      'LIMIT_OUT_OF_RANGE',
      'queue.replay_bytes',
      [{ queue: { replayBytes: 1n } }, { queue: { replayBytes: 4_194_304n } }],
      [{ queue: { replayBytes: 4_194_305n } }],
    ],
    [
      'reconnect.give_up_after',
      'LIMIT_OUT_OF_RANGE',
      'reconnect.give_up_after',
      [nanos(1e8), seconds(86_400n)].map((giveUpAfter) => ({ reconnect: { enabled: true, giveUpAfter } })),
      [nanos(99_999_999), seconds(86_401n)].map((giveUpAfter) => ({
        reconnect: { enabled: true, giveUpAfter },
      })),
    ],
  ])('%s: accepted at its limits, rejected beyond', async (_, reason, field, good, bad) => {
    const sidecar = await startSidecar();
    for (const request of good) {
      const { mailboxId } = await call(sidecar.client, 'connect', request);
      await call(sidecar.client, 'disconnect', { mailboxId });
    }
    for (const request of bad)
      expect(await failureOf(call(sidecar.client, 'connect', request))).toMatchObject(refused(reason, field));
  });

  it('daemon: a name of 300 bytes is valid, but not an allowed daemon', async () => {
    const sidecar = await startSidecar();
    const ask = (bytes: number) =>
      failureOf(call(sidecar.client, 'connect', { daemon: `4803@${'x'.repeat(bytes - 5)}` }));
    // A host name can have 253 characters.
    expect((await ask(258)).info?.reason).toBe('DAEMON_NOT_ALLOWED');
    expect((await ask(300)).info?.reason).toBe('ILLEGAL_SPREAD');
    expect((await ask(301)).info?.reason).toBe('ILLEGAL_SPREAD');
  });
});

describe('groups and messages', () => {
  it('group: 1 to 31 characters', async () => {
    const sidecar = await startSidecar();
    const mailbox = await TestMailbox.open(sidecar.client);
    for (const length of [1, 30, 31]) await mailbox.call('join', { group: 'x'.repeat(length) });
    for (const group of ['', 'x'.repeat(32)])
      for (const method of ['join', 'leave'] as const)
        expect((await failureOf(mailbox.call(method, { group }))).info?.reason).toMatch(
          group === '' ? /^(FIELD_REQUIRED|ILLEGAL_GROUP)$/ : /^ILLEGAL_GROUP$/,
        );
  });

  it.each<[string, string, Partial<MulticastMessage>[], Partial<MulticastMessage>[]]>([
    [
      'daemon.maxGroupsPerMessage',
      'ILLEGAL_GROUP',
      [1, 42, 43].map((count) => ({ groups: groups(count) })),
      [0, 44].map((count) => ({ groups: groups(count) })),
    ],
    [
      'payload',
      'MESSAGE_TOO_LONG',
      [
        { payload: Buffer.alloc(143_118) },
        { payload: Buffer.alloc(143_119) },
        { payload: Buffer.alloc(143_151 - 43 * 32), groups: groups(43) },
      ],
      [
        { payload: Buffer.alloc(143_120) },
        { payload: Buffer.alloc(143_151 - 43 * 32 + 1), groups: groups(43) },
        { payload: Buffer.alloc(4_000_000) },
      ],
    ],
    [
      'headers',
      'HEADERS_TOO_LARGE',
      [8187, 8188].map((length) => ({ headers: new Map([['n', 'v'.repeat(length)]]) })),
      [8189, 100_000].map((length) => ({ headers: new Map([['n', 'v'.repeat(length)]]) })),
    ],
    [
      'header name',
      'HEADER_NAME_INVALID',
      [1, 63, 64].map((length) => ({ headers: new Map([['n'.repeat(length), '']]) })),
      [0, 65].map((length) => ({ headers: new Map([['n'.repeat(length), '']]) })),
    ],
    [
      'message_type',
      'ILLEGAL_MESSAGE',
      [-32_768, -32_767, 32_766, 32_767].map((messageType) => ({ messageType })),
      [-32_769, 32_768].map((messageType) => ({ messageType })),
    ],
  ])('%s: accepted at its limits, rejected beyond, unary and on a stream', async (_, reason, good, bad) => {
    const sidecar = await startSidecar();
    const mailbox = await TestMailbox.open(sidecar.client);
    const sending = mailbox.stream();
    for (const fields of good) {
      await mailbox.send('g', 'x', fields);
      sending.batch(message('g', 'x', fields));
    }
    await sending.decided(good.length);
    for (const fields of bad) {
      const failure = await failureOf(mailbox.send('g', 'x', fields));
      expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, info: { reason } });
      expect(failure.info?.metadata.bound).toBeDefined();
      sending.batch(message('g', 'x', fields));
    }
    const { accepted } = await sending.decided(good.length + bad.length);
    expect(Number(accepted)).toBe(good.length);
    expect(sending.refusals.map((refusal) => refusal.reason)).toEqual(bad.map(() => reason));
  });
});

describe('other calls', () => {
  it('heartbeat_interval: 100 ms to 1 h', async () => {
    const sidecar = await startSidecar();
    const mailbox = await TestMailbox.open(sidecar.client);
    for (const heartbeatInterval of [nanos(1e8), seconds(3600n)]) {
      const receiving = mailbox.receive({ heartbeatInterval });
      await receiving.attached();
      receiving.cancel();
    }
    for (const heartbeatInterval of [nanos(99_999_999), seconds(3601n)])
      expect(await mailbox.receive({ heartbeatInterval }).failure()).toMatchObject(
        refused('LIMIT_OUT_OF_RANGE', 'heartbeat_interval'),
      );
  });

  it('page_size: up to 1000', async () => {
    const token = 'admin-token-0123456789';
    const sidecar = await startSidecar({ adminTokens: [token] });
    const list = (pageSize: number) =>
      call(sidecar.client, 'listMailboxes', { pageSize }, { metadata: { authorization: `Bearer ${token}` } });
    for (const pageSize of [0, 1, 999, 1000]) await list(pageSize);
    expect(await failureOf(list(1001))).toMatchObject(refused('LIMIT_OUT_OF_RANGE', 'page_size'));
  });

  it('request fields: up to 200,000', async () => {
    const sidecar = await startSecured({});
    const same = (bytes: Buffer) => bytes;
    const ask = (fields: number) =>
      failureOf(
        new Promise((resolve, reject) => {
          // Empty groups of one message.
          const groups = Buffer.alloc(2 * fields, Buffer.of(0x12, 0));
          const length = [
            (groups.length & 127) | 128,
            ((groups.length >> 7) & 127) | 128,
            groups.length >> 14,
          ];
          const request = Buffer.concat([Buffer.from([0x0a, 1, 0x78, 0x12, ...length]), groups]);
          const path = '/spread.sidecar.v1.MailboxService/Multicast';
          sidecar
            .rawClient()
            .makeUnaryRequest(path, same, same, request, (error, value) =>
              error ? reject(error) : resolve(value),
            );
        }),
      );
    expect((await ask(MAX_REQUEST_FIELDS - 2)).info?.reason).toBe('ILLEGAL_SESSION');
    const failure = await ask(MAX_REQUEST_FIELDS + 1);
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, info: { reason: 'MALFORMED_REQUEST' } });
    expect(failure.details).toContain('more than 200000 fields');
  });
});

describe('the embedded daemon', () => {
  it('embedded.maxSessions: limits the number of clients', async () => {
    // The sidecar's own connection counts as one.
    const sidecar = await startSecured({ EMBEDDED_MAX_SESSIONS: '3' });
    const client = sidecar.rawClient();
    const first = await call(client, 'connect', {});
    await call(client, 'connect', {});
    expect(await failureOf(call(client, 'connect', {}))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      info: { reason: 'REJECT_QUOTA', domain: 'spread.org' },
    });
    await call(client, 'disconnect', { mailboxId: first.mailboxId });
    await call(client, 'connect', {});
  });
});

function groups(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `g${i}`);
}
