import { describe, expect, it } from 'vitest';
import { ResponseBudget } from '../../../../server/src/grpc/calls/response-budget.js';

describe('ResponseBudget', () => {
  it('lets a connection use the free budget, and accepts others', () => {
    const budget = new ResponseBudget(100);
    const fill = (connection: string) => {
      while (budget.hasRoom(connection)) budget.change(connection, 10);
    };
    fill('greedy');
    expect(budget.used).toBe(50);
    fill('second');
    expect(budget.used).toBe(80);
    expect(budget.hasRoom('third')).toBe(true);
    expect(budget.hasRoom('greedy')).toBe(false);
  });

  it('releases the used budget', () => {
    const budget = new ResponseBudget(100);
    budget.change('a', 60);
    expect(budget.hasRoom('a')).toBe(false);
    budget.change('a', -60);
    expect([budget.used, budget.hasRoom('a')]).toEqual([0, true]);
  });
});
