import { expect, it } from 'vitest';
import { sameGroupId, type ViewMessage } from '../../../server/src/spread/wire/index.js';
import { everythingReceived, type RawClient } from '../../support/daemons/raw-client.js';
import { describeDaemons } from './subjects.js';

const namesOf = (...clients: RawClient[]) => clients.map((client) => client.privateGroup);

describeDaemons('membership', (bench) => {
  it('delivers a join to all members as the same view', async () => {
    const { connect, group } = bench();
    const [c, a, b] = [await connect('c'), await connect('a'), await connect('B')];
    const g = group('room');
    c.join(g);
    const first = await c.nextView();
    expect(first).toMatchObject({
      group: g,
      cause: 'JOIN',
      members: namesOf(c),
      changed: namesOf(c),
      vsSets: [namesOf(c)],
    });
    expect(first.groupId.words[2]).toBe(1);
    a.join(g);
    expect(await a.nextView()).toEqual(await c.nextView());
    b.join(g);
    const views = await Promise.all([a.nextView(), b.nextView(), c.nextView()]);
    expect(views[1]).toEqual(views[0]);
    expect(views[2]).toEqual(views[0]);
    // Byte order: capital letters first.
    expect(views[0]).toMatchObject({
      cause: 'JOIN',
      members: namesOf(b, a, c),
      changed: namesOf(b),
      ownSetIndex: 0,
    });
    const [daemon, since, index] = views[0].groupId.words;
    expect([daemon, since]).toEqual(first.groupId.words.slice(0, 2));
    expect(index).toBe(3);
  });

  it('ignores a second join, and a leave of a group that was not joined', async () => {
    const { connect, group } = bench();
    const [a, b] = [await connect('a'), await connect('b')];
    a.join(group('g'));
    await a.nextView();
    a.join(group('g'));
    a.leave(group('unknown'));
    expect(await everythingReceived(a, a)).toEqual([[]]);
    b.leave(group('g'));
    expect(await everythingReceived(b, a, b)).toEqual([[], []]);
  });

  it('sends a self-leave for a leave, and a view to the other members that names the leaver', async () => {
    const { connect, group } = bench();
    const g = group('g');
    const [a, b] = [await connect('a'), await connect('b')];
    for (const client of [a, b]) {
      client.join(g);
      await client.nextView();
    }
    await a.nextView();
    b.leave(g);
    expect(await b.next()).toEqual({ kind: 'selfLeave', group: g });
    expect(await a.nextView()).toMatchObject({
      group: g,
      cause: 'LEAVE',
      members: namesOf(a),
      changed: namesOf(b),
    });
    a.multicast({ groups: [g], text: 'to those who are left' });
    expect(await a.nextRegular()).toMatchObject({ groups: [g] });
    expect(await everythingReceived(a, b)).toEqual([[]]);
    a.leave(g);
    expect(await a.next()).toEqual({ kind: 'selfLeave', group: g });
  });

  it.each([
    ['says goodbye', (client: RawClient) => client.disconnect()],
    ['breaks off', async (client: RawClient) => client.abort()],
    ['closes only its sending direction', async (client: RawClient) => void client.stream.socket.end()],
  ])('shows a client that %s as a DISCONNECT, group by group in byte order', async (_, leave) => {
    const { connect, group } = bench();
    const [a, b] = [await connect('a'), await connect('b')];
    const groups = ['zeta', 'alpha', 'Mid', 'beta'].map(group);
    for (const client of [a, b]) {
      client.join(...groups);
      for (const _group of groups) await client.nextView();
    }
    for (const _group of groups) await a.nextView();
    await leave(b);
    for (const expected of [...groups].sort())
      expect(await a.nextView()).toMatchObject({
        group: expected,
        cause: 'DISCONNECT',
        members: namesOf(a),
        changed: namesOf(b),
      });
  });

  it('restarts the index of a group at 1 after it was empty', async () => {
    const { connect, group } = bench();
    const a = await connect('a');
    const views: ViewMessage[] = [];
    for (let i = 0; i < 2; i++) {
      a.join(group('g'));
      views.push(await a.nextView());
      a.leave(group('g'));
      await a.next();
    }
    expect(sameGroupId(views[0]!.groupId, views[1]!.groupId)).toBe(true);
    expect(views[0]!.groupId.words[2]).toBe(1);
  });

  it('sends no membership messages to a client without membership, which is still a member', async () => {
    const { connect, group } = bench();
    const g = group('g');
    const [a, z] = [await connect('a'), await connect('z', { membership: false })];
    a.join(g);
    await a.nextView();
    z.join(g);
    expect(await a.nextView()).toMatchObject({ members: namesOf(a, z) });
    a.multicast({ groups: [g], text: 'data' });
    await a.nextRegular();
    expect(await z.next()).toMatchObject({ kind: 'regular' });
    z.leave(g);
    expect(await a.nextView()).toMatchObject({ cause: 'LEAVE', changed: namesOf(z) });
    expect(await everythingReceived(a, z)).toEqual([[]]);
    z.join(g);
    await a.nextView();
    await z.disconnect();
    expect(await a.nextView()).toMatchObject({ cause: 'DISCONNECT', changed: namesOf(z) });
  });

  it('lists all of 60 members, the same for all', async () => {
    const { connect, group } = bench();
    const clients = await Promise.all(Array.from({ length: 60 }, (_, i) => connect(`m${i}-`)));
    for (const client of clients) client.join(group('big'));
    const sorted = namesOf(...clients).sort();
    const last = await Promise.all(
      clients.map(async (client) => {
        for (;;) {
          const view = await client.nextView(10_000);
          if (view.members.length === clients.length) return view;
        }
      }),
    );
    for (const view of last) expect(view).toEqual(last[0]);
    expect(last[0]!.members).toEqual(sorted);
  });

  it('supports one client in 500 groups', async () => {
    const { connect, group } = bench();
    const [a, b] = [await connect('a'), await connect('b')];
    const groups = Array.from({ length: 500 }, (_, i) => group(`g${i}`));
    a.join(...groups);
    for (const name of groups) expect(await a.nextView()).toMatchObject({ group: name });
    b.multicast({ groups: groups.slice(0, 43), text: 'one copy' });
    expect(await everythingReceived(b, a)).toMatchObject([[{ groups: groups.slice(0, 43) }]]);
    b.join(groups[250]!);
    await b.nextView();
    await a.disconnect();
    expect(await b.nextView()).toMatchObject({ group: groups[250], cause: 'DISCONNECT' });
  });

  it('delivers views and messages to all members in the same order', async () => {
    const { connect, group } = bench();
    const g = group('g');
    const [watcher, other] = [await connect('w'), await connect('o')];
    watcher.join(g);
    await watcher.nextView();
    other.join(g);
    await Promise.all([watcher.nextView(), other.nextView()]);
    const movers = await Promise.all(Array.from({ length: 5 }, (_, i) => connect(`m${i}-`)));
    for (let round = 0; round < 10; round++)
      for (const mover of movers) {
        mover.join(g);
        mover.multicast({ groups: [g], text: `${round}` });
        mover.leave(g);
      }
    for (const mover of movers) await everythingReceived(mover, mover);
    const [seen, alsoSeen] = await everythingReceived(watcher, watcher, other);
    expect(seen).toHaveLength(5 * 10 * 3);
    expect(alsoSeen).toEqual(seen);
  });
});
