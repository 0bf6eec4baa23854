import { describe, expect, it } from 'vitest';
import { FairTurns } from '../../../server/src/timing/fair-turns.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Runs turns of the event loop until the condition holds. */
async function turnsUntil(condition: () => boolean): Promise<number> {
  for (let turns = 0; turns < 10_000; turns++) {
    if (condition()) return turns;
    await turn();
  }
  throw new Error('the condition did not hold within 10,000 turns');
}

/** Uses up the current turn, so that later tasks wait. */
function fill(turns: FairTurns): void {
  turns.charge({}, 100);
}

describe('FairTurns', () => {
  it('runs tasks immediately while the turn has room', () => {
    const turns = new FairTurns();
    const ran: number[] = [];
    for (let i = 0; i < 16; i++) turns.run({}, () => ran.push(i));
    expect(ran).toHaveLength(16);
    expect(turns.isFree).toBe(false);
    turns.run({}, () => ran.push(16));
    expect(ran).toHaveLength(16);
  });

  it('runs every task, those of a connection in their order', async () => {
    const turns = new FairTurns();
    const ran: number[] = [];
    const connection = {};
    for (let i = 0; i < 1000; i++) turns.run(connection, () => ran.push(i));
    await turnsUntil(() => ran.length === 1000);
    expect(ran).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    await turnsUntil(() => turns.isFree);
  });

  it('leaves the event loop to other work after 16 tasks', async () => {
    const turns = new FairTurns();
    let ran = 0;
    fill(turns);
    for (let i = 0; i < 160; i++) turns.run({}, () => ran++);
    await turn();
    expect(ran).toBe(16);
  });

  it('runs the task of a connection with one task before those of connections with many', async () => {
    const turns = new FairTurns();
    fill(turns);
    const busy = Array.from({ length: 50 }, () => ({}));
    let others = 0;
    for (const connection of busy) for (let i = 0; i < 100; i++) turns.run(connection, () => others++);
    let othersBefore: number | undefined;
    turns.run({}, () => {
      othersBefore = others;
    });
    await turnsUntil(() => othersBefore !== undefined);
    expect(othersBefore).toBe(0);
  });

  it('runs small tasks before tasks that are expected to be large', async () => {
    const turns = new FairTurns();
    fill(turns);
    const ran: string[] = [];
    turns.run({}, () => ran.push('large'), 300);
    turns.run({}, () => ran.push('small'));
    await turnsUntil(() => ran.length === 2);
    expect(ran).toEqual(['small', 'large']);
  });

  it('counts the work that a task caused against its connection', async () => {
    const turns = new FairTurns();
    const ran: string[] = [];
    const [large, small] = [{}, {}];
    fill(turns);
    // Both tasks are expected to be small.
    for (let i = 0; i < 10; i++) {
      turns.run(large, () => {
        ran.push('large');
        turns.charge(large, 100);
      });
      turns.run(small, () => ran.push('small'));
    }
    await turnsUntil(() => ran.length === 20);
    expect(ran.slice(0, 11).filter((name) => name === 'large')).toHaveLength(1);
  });

  it('serves a connection with many tasks although others keep adding tasks', async () => {
    const turns = new FairTurns();
    let busyRan = 0;
    let othersRan = 0;
    fill(turns);
    const busy = {};
    for (let i = 0; i < 100; i++) turns.run(busy, () => busyRan++);
    const others = Array.from({ length: 20 }, () => ({}));
    const again = (connection: object) => {
      othersRan++;
      if (busyRan < 100) turns.run(connection, () => again(connection));
    };
    for (const connection of others) turns.run(connection, () => again(connection));
    await turnsUntil(() => busyRan === 100);
    // 21 connections with equal shares: for each task of the busy connection, others get 20, and some more while it
    // catches up.
    expect(othersRan).toBeLessThan(20 * 100 * 1.5);
  });

  it.each([
    [4, 60, 100],
    [16, 300, 340],
  ])(
    'with a burst of %d, lets a new connection wait for %d to %d tasks of 20 connections that were idle',
    async (burst, least, most) => {
      const turns = new FairTurns(burst);
      const idle = Array.from({ length: 20 }, () => ({}));
      let ran = 0;
      fill(turns);
      for (const connection of idle) turns.run(connection, () => ran++);
      const busy = {};
      for (let i = 0; i < 100; i++) turns.run(busy, () => ran++);
      await turnsUntil(() => ran === 120);
      fill(turns);
      ran = 0;
      const oneAfterTheOther = (connection: object, left: number) => {
        if (left > 0)
          turns.run(connection, () => {
            ran++;
            oneAfterTheOther(connection, left - 1);
          });
      };
      for (const connection of idle) oneAfterTheOther(connection, 20);
      let before: number | undefined;
      turns.run({}, () => {
        before = ran;
      });
      await turnsUntil(() => before !== undefined);
      expect(before).toBeGreaterThanOrEqual(least);
      expect(before).toBeLessThanOrEqual(most);
    },
  );

  it('gives a connection that was idle for long no more than a burst ahead of others', async () => {
    const turns = new FairTurns();
    const ran = { idle: 0, busy: 0 };
    const keepGoing = (name: 'idle' | 'busy', connection: object, until: () => boolean) => {
      ran[name]++;
      if (!until()) turns.run(connection, () => keepGoing(name, connection, until));
    };
    const [idle, busy] = [{}, {}];
    fill(turns);
    turns.run(idle, () => ran.idle++);
    turns.run(busy, () => keepGoing('busy', busy, () => ran.busy >= 500));
    await turnsUntil(() => ran.busy === 500 && turns.isFree);
    Object.assign(ran, { idle: 0, busy: 0 });
    const isOver = () => ran.idle >= 200;
    fill(turns);
    turns.run(busy, () => keepGoing('busy', busy, isOver));
    turns.run(idle, () => keepGoing('idle', idle, isOver));
    await turnsUntil(isOver);
    expect(ran.idle - ran.busy).toBeGreaterThan(10);
    expect(ran.idle - ran.busy).toBeLessThan(20);
  });

  it('cancels the last task of the connection with the most tasks', async () => {
    const turns = new FairTurns();
    const events: string[] = [];
    fill(turns);
    const [many, few] = [{}, {}];
    for (let i = 1; i <= 3; i++) {
      const cancel = () => events.push(`cancelled ${i}`);
      turns.run(many, () => events.push(`ran ${i}`), 1, cancel);
    }
    turns.run(
      few,
      () => events.push('ran few'),
      1,
      () => events.push('cancelled few'),
    );
    turns.run(many, () => events.push('ran what must run'));
    expect(turns.cancelOne(3)).toBe(false);
    expect(turns.cancelOne(1)).toBe(true);
    await turnsUntil(() => turns.isFree);
    expect(events).toEqual(['cancelled 3', 'ran few', 'ran 1', 'ran 2', 'ran what must run']);
  });

  it('cancels no task that must run', () => {
    const turns = new FairTurns();
    fill(turns);
    turns.run({}, () => {});
    expect(turns.cancelOne(0)).toBe(false);
  });
});
