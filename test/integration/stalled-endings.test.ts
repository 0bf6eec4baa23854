import { join } from 'node:path';
import { credentials, InterceptingCall, status } from '@grpc/grpc-js';
import { MailboxServiceClient, OverflowPolicy } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { put, type SecuredSidecar, startSecured } from '../support/sidecars/secured-sidecar.js';
import { call, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const ALICE = 'alice-token-0123456789';
const BOB = 'bob-token-0123456789';
const LEASE_MS = 1000;
const PAYLOAD = Buffer.alloc(100_000, 1);

/** A client with its own connection whose calls have the token. */
function clientWith({ targets }: SecuredSidecar, token: string): MailboxServiceClient {
  const client = new MailboxServiceClient(targets[0]!, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc-node.flow_control_window': 65_535,
    interceptors: [
      (options, next) =>
        new InterceptingCall(next(options), {
          start(metadata, listener, start) {
            metadata.set('authorization', `Bearer ${token}`);
            start(metadata, listener);
          },
        }),
    ],
  });
  onTestFinished(() => client.close());
  return client;
}

/** The values of the mailboxes on the sidecar's page. */
async function figures(sidecar: SecuredSidecar) {
  const page = await sidecar.metrics();
  const value = (pattern: RegExp) => {
    const values = [...page.matchAll(pattern)].map(([, found]) => Number(found));
    return values.reduce((sum, found) => sum + found, 0);
  };
  return {
    mailboxes: value(/^spread_sidecar_mailboxes\{[^}]*\} (\d+)/gm),
    retainedBytes: value(/^spread_sidecar_retained_bytes (\d+)/gm),
    queuedBytes: value(/^spread_sidecar_queue_bytes (\d+)/gm),
    receivers: value(/^spread_sidecar_receivers (\d+)/gm),
  };
}

interface Ending {
  /** Ends the mailbox, or its stalled receiver. */
  end(alice: TestMailbox, tokenFile: string): unknown;
  readonly reason: string;
}

describe.each<[string, Ending]>([
  [
    'its token is removed',
    {
      end: (_, tokenFile) => put(tokenFile, `bob ${BOB}\n`),
      reason: 'LEASE_EXPIRED',
    },
  ],
  [
    'its queue overflows',
    {
      end: async (alice) => {
        for (let sent = 0; sent < 40; sent++)
          if (
            await alice.send('chat', PAYLOAD).then(
              () => false,
              () => true,
            )
          )
            return;
      },
      reason: 'QUEUE_OVERFLOW',
    },
  ],
])('a mailbox whose Receive stalls when %s', (_, { end, reason }) => {
  it('keeps its slot and its bytes for at most about one lease', async () => {
    const tokenFile = join(temporaryFolder(), 'tokens');
    put(tokenFile, `alice ${ALICE}\nbob ${BOB}\n`);
    const sidecar = await startSecured({ GRPC_TOKEN_FILE: tokenFile, MAILBOX_MAX_MAILBOXES: '1' });
    const alice = await TestMailbox.open(clientWith(sidecar, ALICE), {
      lease: { seconds: BigInt(LEASE_MS / 1000), nanos: 0 },
      queue: { maxBytes: 3_000_000n, overflow: OverflowPolicy.DISCONNECT },
    });
    await alice.call('join', { group: 'chat', awaitView: true });
    const stalled = alice.receive();
    await stalled.attached();
    stalled.stream.pause();
    for (let sent = 0; sent < 20; sent++) await alice.send('chat', PAYLOAD);
    await until(async () => (await figures(sidecar)).retainedBytes > 1_900_000, {
      what: 'the events are held',
    });

    await end(alice, tokenFile);
    const endedAt = performance.now();
    const bob = clientWith(sidecar, BOB);
    expect(await failureOf(call(bob, 'connect', {}))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    expect(await figures(sidecar)).toMatchObject({ mailboxes: 1 });
    await until(async () => (await figures(sidecar)).mailboxes === 0, {
      what: 'the slot is free',
      timeoutMs: 10_000,
    });
    // The time to detect the change of the file, a lease, and an allowance for slow machines.
    expect(performance.now() - endedAt).toBeLessThan(2 * LEASE_MS + 2000);
    await until(async () => (await figures(sidecar)).retainedBytes === 0, { what: 'the bytes are free' });
    expect(await figures(sidecar)).toEqual({ mailboxes: 0, retainedBytes: 0, queuedBytes: 0, receivers: 0 });
    expect(await sidecar.metrics()).toContain(`spread_sidecar_mailboxes_ended_total{reason="${reason}"} 1`);
    await TestMailbox.open(bob);
    stalled.stream.resume();
    expect((await stalled.end).code).not.toBe(status.OK);
  }, 30_000);
});
