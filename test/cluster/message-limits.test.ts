import { join } from 'node:path';
import { type Mailbox, type SpreadEvent, SpreadSidecar } from 'spread-sidecar-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_BITS, type ServiceTypeName } from '../../server/src/spread/wire/index.js';
import { RawClient } from '../support/daemons/raw-client.js';
import { SpreadCluster } from '../support/daemons/spread-cluster.js';
import { valgrindCommand, valgrindReports } from '../support/daemons/valgrind-spread.js';
import { isAvailable } from '../support/requirements.mjs';
import { type RunningSidecar, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until, within } from '../support/until.js';
import { buildFrame } from '../support/wire/frame-builder.js';
import { boundarySizes, groupsWithMember, MAX_BODY, NAME } from '../support/wire/message-sizes.js';

/** valgrind makes daemons about 20 times slower. */
const SLOWDOWN = 8;
const SLOW_MS = 600_000;
const EVENT_MS = 120_000;
const LOG = 'valgrind.log';
const SERVICES = Object.keys(SERVICE_BITS) as ServiceTypeName[];
const isPossible = isAvailable('spread-cluster') && isAvailable('spread-valgrind');

describe.skipIf(!isPossible).each([2, 3])('limits of messages on %i real daemons under valgrind', (size) => {
  let cluster: SpreadCluster;
  let running: RunningSidecar;
  let sidecar: SpreadSidecar;
  /** One mailbox at each daemon, all of them in `room`. The first one sends. */
  const mailboxes: Mailbox[] = [];

  beforeAll(async () => {
    // The path as the daemon sees it: its /tmp is a separate folder.
    cluster = await SpreadCluster.start(size, {
      wrapper: valgrindCommand(join('/tmp', LOG)),
      slowdown: SLOWDOWN,
    });
    const addresses = Array.from({ length: size }, (_, k) => cluster.address(k + 1));
    running = await startSidecar({
      daemons: [addresses[0] as string],
      allow: addresses.slice(1),
      mailbox: { connectTimeoutMs: 60_000, maxGroupsPerMessage: 100 },
    });
    sidecar = new SpreadSidecar({ target: running.target });
    for (const [k, spreadName] of addresses.entries()) {
      const mailbox = await sidecar.connect({ spreadName, privateName: `tencharac${k}`, membership: true });
      await mailbox.join('room', { awaitView: true, timeoutMs: EVENT_MS });
      mailboxes.push(mailbox);
    }
  }, SLOW_MS);

  afterAll(async () => {
    await sidecar?.close();
    await running?.stop();
    await cluster?.stop();
  }, SLOW_MS);

  async function next(mailbox: Mailbox, what: string, kind: SpreadEvent['kind']): Promise<SpreadEvent> {
    for (;;) {
      const event = await within(mailbox.receive(), `${what} at ${mailbox.privateGroup}`, EVENT_MS);
      if (event.kind === kind) return event;
      if (event.kind === 'regular') throw new Error(`${what} at ${mailbox.privateGroup}: got a message`);
    }
  }

  /** Sends from the first daemon, and waits until each mailbox of `receivers` has the message. */
  async function exchange(
    service: ServiceTypeName,
    groups: string[],
    bytes: number,
    receivers: readonly Mailbox[] = mailboxes,
  ): Promise<void> {
    const [sender] = mailboxes as [Mailbox];
    await sender.multigroupMulticast(SERVICE_BITS[service], groups, Buffer.alloc(bytes, bytes % 251));
    const what = `${service} message of ${bytes} bytes to ${groups.length} groups`;
    for (const receiver of receivers) {
      const event = await next(receiver, what, 'regular');
      if (event.kind !== 'regular') throw new Error(event.kind);
      expect([event.payload.length, event.payload.at(-1)], what).toEqual([
        bytes,
        bytes > 0 ? bytes % 251 : undefined,
      ]);
    }
  }

  function expectNoReports(): void {
    for (let i = 1; i <= size; i++) {
      expect(cluster.isRunning(i), `daemon d${i} runs`).toBe(true);
      expect(valgrindReports(join(cluster.folder(i), LOG)), `reports of daemon d${i}`).toEqual([]);
    }
  }

  it.each([1, 2, 43])(
    'no daemon makes an invalid access at packet boundaries of a message to %i groups',
    async (count) => {
      for (const bytes of boundarySizes(count)) await exchange('AGREED', groupsWithMember(count), bytes);
      expectNoReports();
    },
    SLOW_MS,
  );

  it.each(SERVICES)(
    'no daemon makes an invalid access with the longest %s messages',
    async (service) => {
      for (const count of [1, 2, 43])
        for (let i = 0; i < 5; i++) await exchange(service, groupsWithMember(count), MAX_BODY - NAME * count);
      expectNoReports();
    },
    SLOW_MS,
  );

  it(
    'no daemon makes an invalid access with the longest names and private groups of other daemons',
    async () => {
      const longest = 'g'.repeat(31);
      for (const mailbox of mailboxes) {
        await mailbox.join(longest, { awaitView: true, timeoutMs: EVENT_MS });
      }
      const names = Array.from({ length: 42 }, (_, i) => `${'n'.repeat(29)}${String(i).padStart(2, '0')}`);
      await exchange('SAFE', [...names, longest], MAX_BODY - 43 * NAME);
      const privateGroups = mailboxes.map((mailbox) => mailbox.privateGroup);
      await exchange('AGREED', privateGroups, MAX_BODY - size * NAME);
      await exchange('FIFO', [`#${'p'.repeat(10)}#${'d'.repeat(19)}`, ...privateGroups], 1);
      for (const mailbox of mailboxes) await mailbox.leave(longest);
      await exchange('SAFE', ['room'], 1);
      expectNoReports();
    },
    SLOW_MS,
  );

  it(
    'no daemon makes an invalid access with messages to 44 and 100 groups, which have no receivers',
    async () => {
      const [sender] = mailboxes as [Mailbox];
      for (const count of [44, 100])
        for (const bytes of [0, MAX_BODY - NAME * count])
          await sender.multigroupMulticast(SERVICE_BITS.AGREED, groupsWithMember(count), Buffer.alloc(bytes));
      await exchange('SAFE', ['room'], 1);
      expectNoReports();
    },
    SLOW_MS,
  );

  it(
    'no daemon makes an invalid access when the network is cut and healed between parts of the longest messages',
    async () => {
      const [sender] = mailboxes as [Mailbox];
      const last = mailboxes.at(-1) as Mailbox;
      const send = (count: number) =>
        Promise.all(
          Array.from({ length: count }, () =>
            sender.multigroupMulticast(SERVICE_BITS.SAFE, ['room'], Buffer.alloc(MAX_BODY - NAME, 7)),
          ),
        );
      await send(10);
      cluster.cut(size);
      await send(10);
      /** Reads until a view with `members` members, and skips the messages before it. */
      const untilView = async (mailbox: Mailbox, members: number) => {
        for (;;) {
          const what = `the view of ${members} members at ${mailbox.privateGroup}`;
          const event = await within(mailbox.receive(), what, EVENT_MS);
          if (event.kind === 'view' && event.group === 'room' && event.members.length === members) return;
        }
      };
      await Promise.all([untilView(sender, size - 1), untilView(last, 1)]);
      await send(5);
      cluster.heal(size);
      await Promise.all([untilView(sender, size), untilView(last, size)]);
      await send(1);
      await sender.multicast(SERVICE_BITS.SAFE, last.privateGroup, 'end');
      for (;;) {
        const event = await within(last.receive(), 'the last message', EVENT_MS);
        if (event.kind === 'regular' && event.payload.length === 3) break;
      }
      expectNoReports();
    },
    SLOW_MS,
  );

  it(
    "one byte more makes the sender's daemon write beyond an array",
    async () => {
      const client = await RawClient.connect({ path: cluster.address(1) });
      const { privateGroup } = client;
      const data = Buffer.alloc(MAX_BODY + 1 - NAME);
      client.send(buildFrame({ type: SERVICE_BITS.AGREED, privateGroup, groups: ['nobody'], data }));
      const reports = () => valgrindReports(join(cluster.folder(1), LOG));
      await until(() => reports().length > 0, { timeoutMs: EVENT_MS, what: 'a report of valgrind' });
      expect(reports().join('\n')).toMatch(/Invalid write/);
    },
    SLOW_MS,
  );
});
