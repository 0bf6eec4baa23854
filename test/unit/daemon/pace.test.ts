import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HeldSender, Pace } from '../../../server/src/daemon/pace.js';

class Sender implements HeldSender {
  holds = 0;
  hold(): void {
    this.holds += 1;
  }
  letGo(): void {
    this.holds -= 1;
  }
}

describe('Pace', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const setUp = () => ({ pace: new Pace(() => Date.now()), one: new Sender(), other: new Sender() });

  it('holds each sender once, until the receiver has caught up', () => {
    const { pace, one, other } = setUp();
    pace.hold(one);
    pace.hold(one);
    pace.hold(other);
    expect([one.holds, other.holds]).toEqual([1, 1]);
    pace.release();
    expect([one.holds, other.holds]).toEqual([0, 0]);
    pace.release();
    expect(one.holds).toBe(0);
  });

  it('lets them go when the receiver takes nothing for 50 ms, and does not hold them again', () => {
    const { pace, one } = setUp();
    pace.hold(one);
    vi.advanceTimersByTime(40);
    expect(one.holds).toBe(1);
    vi.advanceTimersByTime(20);
    expect(one.holds).toBe(0);
    pace.hold(one);
    expect(one.holds).toBe(0);
  });

  it('gives credit back for what the receiver takes', () => {
    const { pace, one } = setUp();
    pace.hold(one);
    vi.advanceTimersByTime(60);
    // 100 messages are worth 10 ms.
    pace.earn(100, 0);
    pace.hold(one);
    expect(one.holds).toBe(1);
    vi.advanceTimersByTime(15);
    expect(one.holds).toBe(0);
    // A megabyte is worth 10 ms as well.
    pace.earn(0, 1_000_000);
    pace.hold(one);
    expect(one.holds).toBe(1);
  });
});
