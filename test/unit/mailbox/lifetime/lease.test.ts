import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lease } from '../../../../server/src/mailbox/lifetime/lease.js';

describe('Lease', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('expires once after its time without use', () => {
    const expired = vi.fn();
    const lease = new Lease(1000, expired);
    vi.advanceTimersByTime(999);
    expect(expired).not.toHaveBeenCalled();
    expect(lease.remainingMs).toBe(1);
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10_000);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  it('restarts with every touch, without a timer for each', () => {
    const expired = vi.fn();
    const lease = new Lease(1000, expired);
    for (let i = 0; i < 100; i++) {
      vi.advanceTimersByTime(900);
      lease.touch();
      expect(vi.getTimerCount()).toBe(1);
    }
    vi.advanceTimersByTime(999);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  it('does not expire while it is held, and restarts when the last hold ends', () => {
    const expired = vi.fn();
    const lease = new Lease(1000, expired);
    const first = lease.hold();
    const second = lease.hold();
    vi.advanceTimersByTime(5000);
    expect(lease.remainingMs).toBeUndefined();
    first();
    first();
    for (let i = 0; i < 10; i++) lease.hold()();
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
    vi.advanceTimersByTime(5000);
    expect(expired).not.toHaveBeenCalled();
    second();
    for (let i = 0; i < 10; i++) lease.hold()();
    expect(vi.getTimerCount()).toBe(1);
    expect(lease.remainingMs).toBe(1000);
    vi.advanceTimersByTime(999);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  it('never expires once it was stopped', () => {
    const expired = vi.fn();
    const lease = new Lease(1000, expired);
    const release = lease.hold();
    lease.stop();
    release();
    vi.advanceTimersByTime(10_000);
    expect(expired).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
