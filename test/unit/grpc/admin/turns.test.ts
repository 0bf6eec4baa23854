import { expect, it } from 'vitest';
import { Turns } from '../../../../server/src/grpc/admin/turns.js';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

it('Turns runs tasks in their order, a few in each turn of the event loop', async () => {
  const turns = new Turns(2);
  const done: number[] = [];
  for (let task = 0; task < 5; task++) turns.run(() => done.push(task));
  expect(done).toEqual([0, 1]);
  await nextTurn();
  expect(done).toEqual([0, 1, 2, 3]);
  await nextTurn();
  expect(done).toEqual([0, 1, 2, 3, 4]);
});

it('Turns runs a task at once after turns without any', async () => {
  const turns = new Turns(1);
  const done: string[] = [];
  turns.run(() => done.push('first'));
  await nextTurn();
  await nextTurn();
  turns.run(() => done.push('second'));
  expect(done).toEqual(['first', 'second']);
});

it('Turns counts tasks that a task starts', async () => {
  const turns = new Turns(2);
  const done: number[] = [];
  const again = (task: number) => () => {
    done.push(task);
    if (task < 4) turns.run(again(task + 1));
  };
  turns.run(again(0));
  expect(done).toEqual([0, 1]);
  await nextTurn();
  expect(done).toEqual([0, 1, 2, 3]);
});
