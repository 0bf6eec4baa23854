import {
  AGREED_MESS,
  type Mailbox,
  type SpreadEvent,
  SpreadSidecar,
  type ViewMessage,
} from 'spread-sidecar-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpreadCluster } from '../support/daemons/spread-cluster.js';
import { isAvailable } from '../support/requirements.mjs';
import { type RunningSidecar, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { within } from '../support/until.js';

// Daemons detect a cut after the token timeout, and a healed network at the next lookup. Both take at most a few
// seconds.
const SLOW_MS = 30_000;

/** Reads and stores the events of one mailbox, and checks that no sequence is missing. */
class Reader {
  readonly events: SpreadEvent[] = [];

  constructor(readonly mailbox: Mailbox) {}

  async next(): Promise<SpreadEvent> {
    const event = await within(this.mailbox.receive(), `an event for ${this.mailbox.privateGroup}`, SLOW_MS);
    this.events.push(event);
    expect(event.sequence).toBe(BigInt(this.events.length));
    return event;
  }

  /** The next event, which must be a view. */
  async view(): Promise<ViewMessage> {
    const event = await this.next();
    if (event.kind !== 'view') throw new Error(`${this.mailbox.privateGroup} got ${event.kind}, not a view`);
    return event;
  }

  /** Reads until a view with exactly `count` members. */
  async viewOf(count: number): Promise<ViewMessage> {
    for (;;) {
      const event = await this.next();
      if (event.kind === 'view' && event.members.length === count) return event;
    }
  }
}

describe.skipIf(!isAvailable('spread-cluster')).each([2, 3])('%i real daemons, cut and healed', (size) => {
  let cluster: SpreadCluster;
  let running: RunningSidecar;
  let sidecar: SpreadSidecar;

  beforeAll(async () => {
    cluster = await SpreadCluster.start(size);
    const addresses = Array.from({ length: size }, (_, k) => cluster.address(k + 1));
    running = await startSidecar({ daemons: [addresses[0] as string], allow: addresses.slice(1) });
    sidecar = new SpreadSidecar({ target: running.target });
  }, 90_000);

  afterAll(async () => {
    await sidecar?.close();
    await running?.stop();
    await cluster?.stop();
  }, 30_000);

  /** A member of `group` at each daemon. Each has received the view with all members. */
  async function members(group: string, name: string): Promise<Reader[]> {
    const readers: Reader[] = [];
    for (let i = 1; i <= size; i++) {
      const mailbox = await sidecar.connect({ spreadName: cluster.address(i), privateName: `${name}${i}` });
      await mailbox.join(group, { awaitView: true, timeoutMs: SLOW_MS });
      readers.push(new Reader(mailbox));
    }
    for (const reader of readers) await reader.viewOf(size);
    return readers;
  }

  it(
    'delivers transitional signals, NETWORK views with their sets and the messages of each side, in order',
    async () => {
      const readers = await members('room', 'c');
      const names = readers.map(({ mailbox }) => mailbox.privateGroup);
      const whole = (await readers[0]!.mailbox.view('room')).view;
      const alone = readers[size - 1] as Reader;
      const together = readers.slice(0, -1);

      cluster.cut(size);
      for (const side of [together, [alone]]) {
        const views: ViewMessage[] = [];
        for (const reader of side) {
          const signal = await reader.next();
          expect(signal).toMatchObject({ kind: 'transitional', group: 'room' });
          expect(signal.kind === 'transitional' && signal.groupId.equals(whole.groupId)).toBe(true);
          const view = await reader.view();
          expect(view.cause).toBe('NETWORK');
          expect(view.members).toEqual(side.map(({ mailbox }) => mailbox.privateGroup));
          expect(view.sets).toEqual([{ members: view.members, mine: true }]);
          expect(view.changedMembers).toEqual([]);
          expect(view.members[view.ownIndex]).toBe(reader.mailbox.privateGroup);
          views.push(view);
        }
        for (const view of views) expect(view.groupId.equals(views[0]!.groupId)).toBe(true);
      }

      // During the cut, each side receives only its own messages.
      await alone.mailbox.multicast(AGREED_MESS, 'room', 'alone');
      expect(await alone.next()).toMatchObject({ kind: 'regular', sender: names[size - 1] });
      await together[0]!.mailbox.multicast(AGREED_MESS, 'room', 'together');
      for (const reader of together)
        expect(await reader.next()).toMatchObject({ kind: 'regular', sender: names[0] });

      cluster.heal(size);
      const merged: ViewMessage[] = [];
      for (const reader of readers) {
        const view = await reader.view(); // no transitional signal comes before a merge
        expect(view.cause).toBe('NETWORK');
        expect(view.members).toEqual(names);
        expect(view.sets.map(({ members }) => members)).toHaveLength(2);
        expect(view.sets.flatMap(({ members }) => members).sort()).toEqual([...names].sort());
        const mine = view.sets.filter((set) => set.mine);
        expect(mine).toHaveLength(1);
        const side = reader === alone ? [alone] : together;
        expect(mine[0]?.members).toEqual(side.map(({ mailbox }) => mailbox.privateGroup));
        expect([...view.changedMembers].sort()).toEqual(
          names.filter((name) => !mine[0]?.members.includes(name)).sort(),
        );
        merged.push(view);
      }
      for (const view of merged) {
        expect(view.groupId.equals(merged[0]!.groupId)).toBe(true);
        expect(view.sets.map(({ members }) => members)).toEqual(
          merged[0]!.sets.map(({ members }) => members),
        );
      }

      // After the merge, all members receive one order again.
      for (const { mailbox } of readers) await mailbox.multicast(AGREED_MESS, 'room', mailbox.privateGroup);
      const orders: string[][] = [];
      for (const reader of readers) {
        const order: string[] = [];
        while (order.length < size) {
          const event = await reader.next();
          if (event.kind === 'regular') order.push(event.text());
        }
        orders.push(order);
      }
      for (const order of orders) expect(order).toEqual(orders[0]);
      for (const { mailbox } of readers) await mailbox.disconnect();
    },
    4 * SLOW_MS,
  );

  it(
    'returns in_transition and the current view during a cut, also for a join',
    async () => {
      const readers = await members('later', 'j');
      cluster.cut(size);
      const alone = readers[size - 1] as Reader;
      expect((await alone.next()).kind).toBe('transitional');
      const view = await alone.view();
      expect((await alone.mailbox.view('later')).view.groupId.equals(view.groupId)).toBe(true);
      const joiner = await sidecar.connect({ spreadName: cluster.address(size), privateName: 'joiner' });
      const joined = await joiner.join('later', { awaitView: true, timeoutMs: SLOW_MS });
      expect(joined?.members).toHaveLength(2);
      expect(joined?.cause).toBe('JOIN');
      cluster.heal(size);
      const merged = await new Reader(joiner).viewOf(size + 1);
      expect(merged.cause).toBe('NETWORK');
      for (const { mailbox } of readers) await mailbox.disconnect();
      await joiner.disconnect();
    },
    4 * SLOW_MS,
  );

  it(
    'ends the mailbox of a daemon that crashes, and sends the others a NETWORK view',
    async () => {
      const readers = await members('crash', 'k');
      const lost = readers.pop() as Reader;
      await cluster.crash(size);
      await expect(lost.next()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', number: -8 });
      for (const reader of readers) {
        expect((await reader.next()).kind).toBe('transitional');
        const view = await reader.view();
        expect(view).toMatchObject({
          cause: 'NETWORK',
          members: readers.map(({ mailbox }) => mailbox.privateGroup),
        });
      }
      for (const { mailbox } of readers) await mailbox.disconnect();
      cluster.startDaemon(size);
    },
    4 * SLOW_MS,
  );
});
