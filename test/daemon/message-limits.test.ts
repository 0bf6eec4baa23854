import { AGREED_MESS, type Mailbox, SpreadSidecar } from 'spread-sidecar-client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SERVICE_BITS, type ServiceTypeName } from '../../server/src/spread/wire/index.js';
import { RawClient } from '../support/daemons/raw-client.js';
import { ValgrindSpread } from '../support/daemons/valgrind-spread.js';
import { isAvailable } from '../support/requirements.mjs';
import { type RunningSidecar, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until, within } from '../support/until.js';
import { buildFrame } from '../support/wire/frame-builder.js';
import { boundarySizes, groupsWithMember, MAX_BODY, NAME, PACKET } from '../support/wire/message-sizes.js';

/** valgrind makes the daemon about 20 times slower. */
const SLOW_MS = 300_000;
const SERVICES = Object.keys(SERVICE_BITS) as ServiceTypeName[];

describe.skipIf(!isAvailable('spread-valgrind'))('limits of messages on a real daemon under valgrind', () => {
  let spread: ValgrindSpread;
  let running: RunningSidecar;
  let sidecar: SpreadSidecar;
  let sender: Mailbox;
  let receiver: Mailbox;

  beforeAll(async () => {
    if (!isAvailable('spread-valgrind')) return;
    spread = await ValgrindSpread.start();
    running = await startSidecar({
      daemons: [`${spread.daemon.port}@127.0.0.1`],
      mailbox: { connectTimeoutMs: 60_000, maxGroupsPerMessage: 100 },
    });
    sidecar = new SpreadSidecar({ target: running.target });
    sender = await sidecar.connect({ privateName: 'tencharact', membership: false });
    receiver = await sidecar.connect({ privateName: 'r', membership: false });
    await receiver.join('room');
  }, SLOW_MS);

  afterAll(async () => {
    await sidecar?.close();
    await running?.stop();
    await spread?.stop();
  }, SLOW_MS);

  /** Sends, and waits until the receiver has the message, so that the daemon's queue stays short. */
  async function exchange(service: ServiceTypeName, groups: string[], size: number): Promise<void> {
    await sender.multigroupMulticast(SERVICE_BITS[service], groups, Buffer.alloc(size, size % 251));
    const what = `${service} message of ${size} bytes to ${groups.length} groups`;
    const event = await within(receiver.receive(), what, 60_000);
    if (event.kind !== 'regular') throw new Error(`${what}: got ${event.kind}`);
    expect([event.payload.length, event.payload.at(-1)], what).toEqual([
      size,
      size > 0 ? size % 251 : undefined,
    ]);
  }

  const expectNoReport = () => {
    expect(spread.daemon.isRunning).toBe(true);
    expect(spread.reports()).toEqual([]);
  };

  it.each([1, 2, 43])(
    'the daemon survives every packet boundary of a message to %i groups',
    async (count) => {
      const sizes = boundarySizes(count);
      expect(sizes.length).toBeGreaterThan(290);
      const groups = groupsWithMember(count);
      for (const size of sizes) await exchange('AGREED', groups, size);
      expectNoReport();
    },
    SLOW_MS,
  );

  it.each(SERVICES)(
    'the daemon survives the longest %s messages to 1 to 43 groups',
    async (service) => {
      for (let count = 1; count <= 43; count++)
        for (const size of [0, MAX_BODY - NAME * count])
          await exchange(service, groupsWithMember(count), size);
      // valgrind reports a write beyond an array immediately. The repeated message finds errors that appear only when
      // memory is reused.
      for (let i = 0; i < 20; i++) await exchange(service, ['room'], MAX_BODY - NAME);
      expectNoReport();
    },
    SLOW_MS,
  );

  it(
    'the daemon survives several receivers that read the longest messages late',
    async () => {
      const slow = await Promise.all(
        ['slow1', 'slow2', 'slow3'].map((name) => RawClient.connect(spread.daemon.tcp, { name })),
      );
      for (const client of slow) {
        client.join('slow');
        await until(() => client.received.length > 0, {
          timeoutMs: 60_000,
          what: 'the view of its own join',
        });
      }
      const groups = ['slow', receiver.privateGroup];
      const sizes = boundarySizes(2, [1, 2, 50, 99, 100]).flatMap((size) => [size, size, size]);
      // More than the socket buffers hold, so that the daemon keeps a partly written copy for each receiver.
      for (const client of slow) client.pauseReading();
      for (const size of sizes) await exchange('AGREED', groups, size);
      for (const [i, client] of slow.entries()) {
        client.resumeReading();
        const messages = () => client.received.filter((message) => message.kind === 'regular');
        await until(() => messages().length === sizes.length, {
          timeoutMs: 60_000,
          what: `all messages at slow receiver ${i}`,
        });
        expect(messages().map((message) => message.payload.length)).toEqual(sizes);
      }
      expectNoReport();
    },
    SLOW_MS,
  );

  it(
    'the daemon survives messages to 44 and 100 groups, which it does not deliver',
    async () => {
      for (const service of SERVICES)
        for (const count of [44, 99, 100])
          for (const size of [0, 1, PACKET, MAX_BODY - NAME * count])
            await sender.multigroupMulticast(
              SERVICE_BITS[service],
              groupsWithMember(count),
              Buffer.alloc(size),
            );
      await exchange('SAFE', ['room'], 1);
      expectNoReport();
    },
    SLOW_MS,
  );

  it(
    'the daemon survives names, message types and service bits at their limits',
    async () => {
      const longest = 'g'.repeat(31);
      for (const group of [longest, '$', '~'.repeat(31)]) {
        await sender.join(group);
        await sender.leave(group);
      }
      await receiver.join(longest);
      await exchange('AGREED', [longest], 100);
      // 43 different names of 31 bytes, and unused private groups, in each form that the sidecar forwards.
      const names = Array.from({ length: 42 }, (_, i) => `${'n'.repeat(29)}${String(i).padStart(2, '0')}`);
      await exchange('SAFE', [...names, longest], MAX_BODY - 43 * NAME);
      const longestPrivate = `#${'p'.repeat(10)}#${'d'.repeat(19)}`;
      expect(longestPrivate).toHaveLength(31);
      await exchange('AGREED', [longestPrivate, '#p#localhost', '#p#d', receiver.privateGroup], 10);
      for (const messageType of [-32_768, -1, 0, 1, 32_767]) {
        await sender.multicast(AGREED_MESS, receiver.privateGroup, 'typed', messageType);
        expect(await within(receiver.receive(), 'typed message', 60_000)).toMatchObject({ messageType });
      }
      expectNoReport();
    },
    SLOW_MS,
  );

  it(
    'the daemon survives handshakes at their limits',
    async () => {
      for (const privateName of ['a', '1234567890', '$', '~~~~~~~~~~', ''])
        for (const membership of [true, false])
          for (const priority of [0, 1]) {
            const mailbox = await sidecar.connect({ privateName, membership, priority });
            await mailbox.join('handshakes');
            await mailbox.multicast(AGREED_MESS, 'handshakes', 'x');
            await mailbox.disconnect();
          }
      expectNoReport();
    },
    SLOW_MS,
  );
});

describe.skipIf(!isAvailable('spread-valgrind'))('beyond the limits of messages on a real daemon', () => {
  /** Frames go directly to the daemon, because the sidecar forwards none of them. */
  async function reportsOf(
    groups: string[],
    size: number,
  ): Promise<{ spread: ValgrindSpread; reports: string[] }> {
    const spread = await ValgrindSpread.start();
    onTestFinished(() => spread.stop());
    const client = await RawClient.connect(spread.daemon.tcp, { name: 'a' });
    expect(spread.reports()).toEqual([]);
    const { privateGroup } = client;
    client.send(buildFrame({ type: 0x10, privateGroup, groups, data: Buffer.alloc(size) }));
    client.send(buildFrame({ type: 0x10, privateGroup, groups: [privateGroup], data: Buffer.from('end') }));
    await until(() => client.received.length > 1 || spread.reports().length > 0 || !spread.daemon.isRunning, {
      timeoutMs: 60_000,
      what: 'the message comes back or valgrind reports it',
    });
    return { spread, reports: spread.reports() };
  }

  it.each([1, 2, 43])(
    'one byte more than the sidecar forwards to %i groups makes the daemon write beyond an array',
    async (count) => {
      const groups = groupsWithMember(count);
      const { reports } = await reportsOf(groups, MAX_BODY + 1 - NAME * count);
      expect(reports.join('\n')).toMatch(/Invalid write/);
    },
    SLOW_MS,
  );
});
