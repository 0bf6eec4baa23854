import { describe, expect, it } from 'vitest';
import { SlowLane, type SlowLaneUser } from '../../../../server/src/daemon/output/slow-lane.js';
import { until } from '../../../support/until.js';

/** A client with `count` messages of `bytes` bytes, which it sends one at a time. */
class User implements SlowLaneUser {
  turns = 0;

  constructor(
    private readonly lane: SlowLane,
    public left: number,
    private readonly bytes = 100,
  ) {}

  proceed(): void {
    this.turns += 1;
    while (this.left > 0 && this.lane.open) {
      this.left -= 1;
      this.lane.spend(1, this.bytes);
    }
    if (this.left > 0) this.lane.wait(this);
  }
}

describe('SlowLane', () => {
  it('forwards 30 messages at a time, and the rest later', async () => {
    const lane = new SlowLane();
    const user = new User(lane, 100);
    user.proceed();
    expect(user.left).toBe(70);
    await until(() => user.left === 0);
    expect(user.turns).toBeGreaterThanOrEqual(4);
  });

  it('forwards half a megabyte at a time', async () => {
    const lane = new SlowLane();
    const user = new User(lane, 10, 200_000);
    user.proceed();
    expect(user.left).toBe(7);
    await until(() => user.left === 0);
  });

  it('is shared by all waiting clients in turns', async () => {
    const lane = new SlowLane();
    const users = Array.from({ length: 5 }, () => new User(lane, 90));
    for (const user of users) user.proceed();
    // No client finishes three turns before every client had one.
    const order: User[] = [];
    await until(() => {
      for (const user of users) if (user.left === 0 && !order.includes(user)) order.push(user);
      if (order.length > 0) expect(users.filter((user) => user.left === 90)).toEqual([]);
      return order.length === users.length;
    });
  });

  it('has no timer without waiting clients', async () => {
    const lane = new SlowLane();
    const user = new User(lane, 31);
    user.proceed();
    await until(() => user.left === 0);
    const { turns } = user;
    await new Promise((resolve) => setImmediate(resolve));
    expect(user.turns).toBe(turns);
  });
});
