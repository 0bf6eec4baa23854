import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { call, type Receiving, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { type RunningSidecar, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

const PAYLOAD = Buffer.alloc(100_000, 1);
const MESSAGES = 30;

/** A mailbox with 3 MB of events, whose client has opened a Receive and reads nothing. */
async function stalledMailbox(
  sidecar: RunningSidecar,
  leaseSeconds = 1n,
): Promise<{ mailbox: TestMailbox; stalled: Receiving }> {
  const mailbox = await TestMailbox.open(
    sidecar.newClient(undefined, { 'grpc-node.flow_control_window': 65_535 }),
    {
      lease: { seconds: leaseSeconds, nanos: 0 },
    },
  );
  await mailbox.call('join', { group: 'chat', awaitView: true });
  const stalled = mailbox.receive();
  await stalled.attached();
  stalled.stream.pause();
  for (let sent = 0; sent < MESSAGES; sent++) await mailbox.send('chat', PAYLOAD);
  await until(() => sidecar.registry.sizes().waitingEvents > 0, { what: 'events wait' });
  await until(async () => (await mailbox.call('getMailbox')).mailbox!.lastSequence === BigInt(MESSAGES + 1), {
    what: 'all events are queued',
  });
  return { mailbox, stalled };
}

const start = (maxMailboxes: number) => startSidecar({ mailbox: { maxMailboxes } });

describe.each<[how: string, end: (mailbox: TestMailbox, sidecar: RunningSidecar) => unknown]>([
  ['Disconnect', (mailbox) => mailbox.call('disconnect', {})],
  ['Disconnect with leave_groups_first', (mailbox) => mailbox.call('disconnect', { leaveGroupsFirst: true })],
  ['Disconnect with abort', (mailbox) => mailbox.call('disconnect', { abort: true })],
  ['the loss of the daemon', (mailbox, { registry }) => registry.drop(mailbox.id)],
])('a mailbox that ends by %s while its Receive stalls', (_, end) => {
  it('keeps its slot and its memory for one lease, then the sidecar frees both', async () => {
    const sidecar = await start(2);
    const { registry } = sidecar;
    const { mailbox, stalled } = await stalledMailbox(sidecar);
    const other = await TestMailbox.open(sidecar.client);
    const since = performance.now();
    await end(mailbox, sidecar);
    expect(registry.size).toBe(2);
    expect(registry.sizes().retainedBytes).toBeGreaterThan(2_000_000);
    await until(() => registry.size === 1, { what: 'the slot is free' });
    expect(performance.now() - since).toBeGreaterThan(900);
    await until(() => registry.sizes().retainedBytes === 0, { what: 'the memory is free' });
    // Other mailboxes, open and new ones, are not affected.
    expect(await other.call('poll', {})).toMatchObject({ waitingEvents: 0n });
    await TestMailbox.open(sidecar.client);
    stalled.stream.resume();
    const ended = await stalled.end;
    expect(ended.code).not.toBe(status.OK);
    expect(stalled.events.length).toBeLessThan(MESSAGES + 1);
  });
});

describe('a client that disconnects mailboxes while its Receives stall', () => {
  it('uses no more than its own slots, and frees its memory', async () => {
    const sidecar = await start(3);
    const { registry } = sidecar;
    for (let i = 0; i < 3; i++) {
      const { mailbox } = await stalledMailbox(sidecar, 5n);
      await mailbox.call('disconnect', {});
    }
    const refused = call(sidecar.client, 'connect', {});
    await expect(refused).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(registry.size).toBeLessThanOrEqual(3);
    await until(() => registry.size === 0 && registry.sizes().retainedBytes === 0, {
      what: 'all is free',
      timeoutMs: 15_000,
    });
    await TestMailbox.open(sidecar.client);
  });

  it('holds at most one replaced stream for each mailbox', async () => {
    const sidecar = await start(3);
    const { registry } = sidecar;
    const { mailbox } = await stalledMailbox(sidecar);
    const streams = [];
    for (let i = 0; i < 10; i++) {
      const next = mailbox.receive({ afterSequence: 0n });
      await next.attached();
      next.stream.pause();
      streams.push(next);
    }
    // The queue, and at most two batches in each of two transports.
    await until(() => registry.sizes().retainedBytes < 31 * 100_200 + 4 * 400_000, {
      what: 'the streams before are reset',
    });
    await mailbox.call('disconnect', {});
    await until(() => registry.size === 0 && registry.sizes().retainedBytes === 0, { what: 'all is free' });
  });

  it('frees the slot as soon as the client reads or disconnects', async () => {
    const sidecar = await start(1);
    for (const free of [
      (stalled: Receiving) => void stalled.stream.resume(),
      (stalled: Receiving) => stalled.cancel(),
    ]) {
      const { mailbox, stalled } = await stalledMailbox(sidecar);
      await mailbox.call('disconnect', {});
      const next = TestMailbox.open(sidecar.client);
      free(stalled);
      await (await next).call('disconnect', {});
    }
  });
});
