import {
  joinElection,
  type LeaderElection,
  type Leadership,
  openReplicatedMap,
  type ReplicatedMap,
  type ReplicatedMapOptions,
} from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sidecarAt } from '../support/clients/client.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

/** Opens members at one sidecar, each over its own channel. */
async function start() {
  const sidecar = await startSidecar();
  const map = async (options: ReplicatedMapOptions = {}): Promise<ReplicatedMap> => {
    const member = await openReplicatedMap(sidecarAt(sidecar.target), 'map', options);
    onTestFinished(() => member.close());
    return member;
  };
  const elect = async (changes: Leadership[] = []): Promise<LeaderElection> => {
    const member = await joinElection(sidecarAt(sidecar.target), 'election', {
      onChange: (leadership) => changes.push(leadership),
    });
    onTestFinished(() => member.close());
    return member;
  };
  return { sidecar, map, elect };
}

const content = (map: ReplicatedMap) => Object.fromEntries([...map].map(([key, value]) => [key, `${value}`]));

describe('a replicated map', () => {
  it('has the same entries at all members', async () => {
    const { map } = await start();
    const a = await map();
    await a.set('x', '1');
    await a.set('y', Buffer.from('2'));
    const b = await map();
    expect(content(b)).toEqual({ x: '1', y: '2' });
    await b.delete('x');
    await b.set('z', '3');
    await until(() => a.has('z'));
    expect([content(a), a.size, a.has('x'), a.get('z')?.toString()]).toEqual([
      { y: '2', z: '3' },
      2,
      false,
      '3',
    ]);
    await a.clear();
    await until(() => b.size === 0);
  });

  it('has the own change when set() returns', async () => {
    const { map } = await start();
    const [a, b] = [await map(), await map()];
    await Promise.all(Array.from({ length: 200 }, (_, at) => (at % 2 ? a : b).set('n', `${at}`)));
    expect(a.get('n')).toBeDefined();
    const last = a.get('n')?.toString();
    await until(() => b.get('n')?.toString() === last);
  });

  it('transfers many large entries while members change it', async () => {
    const { map } = await start();
    const a = await map();
    await Promise.all(Array.from({ length: 300 }, (_, at) => a.set(`k${at}`, 'x'.repeat(5000))));
    let isOver = false;
    const changing = (async () => {
      for (let at = 0; !isOver; at++) await a.set(`n${at % 10}`, `${at}`);
    })();
    const later = await Promise.all([map(), map(), map()]);
    isOver = true;
    await changing;
    await a.set('end', '');
    for (const member of later) await until(() => member.has('end'));
    for (const member of later) expect(content(member)).toEqual(content(a));
  });

  it('survives the death of members', async () => {
    const { map, sidecar } = await start();
    const first = await openReplicatedMap(sidecarAt(sidecar.target), 'map');
    await first.set('x', '1');
    const second = await map();
    await first.close();
    const third = await map();
    expect([content(second), content(third)]).toEqual([{ x: '1' }, { x: '1' }]);
  });

  it('reports changes', async () => {
    const changes: unknown[] = [];
    const { map } = await start();
    const a = await map({ onChange: ({ kind, key, value }) => changes.push([kind, key, value?.toString()]) });
    await a.set('x', '1');
    await a.delete('x');
    await a.clear();
    expect(changes).toEqual([
      ['set', 'x', '1'],
      ['delete', 'x', undefined],
      ['clear', undefined, undefined],
    ]);
  });

  it('rejects what is too large', async () => {
    const { map } = await start();
    const a = await map({ maxBytes: 1000 });
    await expect(a.set('k'.repeat(1025), '')).rejects.toThrow(
      'key must be at most 1024 bytes; got 1025 bytes',
    );
    await expect(a.set('k', Buffer.alloc(131_073))).rejects.toThrow('value must be at most 131072 bytes');
    await a.set('k', Buffer.alloc(999));
    await expect(a.set('l', '')).rejects.toThrow('the map would exceed maxBytes (1000 bytes)');
    await a.set('k', '');
    await a.set('l', '');
  });

  it('fails after close, and keeps its entries', async () => {
    const { map } = await start();
    const a = await map();
    await a.set('x', '1');
    await a.close();
    await expect(a.set('x', '2')).rejects.toMatchObject({ code: 'ILLEGAL_SESSION' });
    expect(content(a)).toEqual({ x: '1' });
  });
});

describe('an election', () => {
  it('has one leader, and another one when the leader leaves', async () => {
    const { elect } = await start();
    const [a, b] = [await elect(), await elect()];
    await until(() => String(a.leadership.groupId) === String(b.leadership.groupId));
    expect(a.leadership.leader).toBe(b.leadership.leader);
    const [leader, other] = a.leadership.isLeader ? [a, b] : [b, a];
    expect([leader.leadership.leader, other.leadership.isLeader]).toEqual([leader.self, false]);
    const fence = leader.leadership.groupId!;
    await leader.close();
    expect(leader.leadership).toEqual({ leader: undefined, isLeader: false, groupId: undefined });
    await until(() => other.leadership.isLeader);
    expect(other.leadership.groupId!.equals(fence)).toBe(false);
  });

  it('agrees on one leader for each group ID', async () => {
    const { elect } = await start();
    const histories: Leadership[][] = [];
    const members: LeaderElection[] = [];
    for (let at = 0; at < 6; at++) {
      const history: Leadership[] = [];
      histories.push(history);
      members.push(await elect(history));
    }
    for (const member of members.slice(0, 5)) await member.close();
    await until(() => members[5]!.leadership.isLeader);
    const leaders = new Map<string, string>();
    for (const { groupId, leader } of histories.flat())
      if (groupId !== undefined && leader !== undefined)
        expect(leaders.get(String(groupId)) ?? leader).toBe(
          leaders.set(String(groupId), leader).get(String(groupId)),
        );
    expect(leaders.size).toBeGreaterThan(6);
  });

  it('has no leader after the loss of the sidecar', async () => {
    const { sidecar, elect } = await start();
    const a = await elect();
    await until(() => a.leadership.isLeader);
    await sidecar.stop();
    await until(() => a.ended !== undefined);
    expect(a.leadership.isLeader).toBe(false);
  });
});
