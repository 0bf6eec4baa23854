import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lease } from '../../../server/src/mailbox/lifetime/lease.js';
import { CheckedTimer, LATE_MS, PauseAwareTimer } from '../../../server/src/timing/pause-aware-timer.js';

/** The clock advances while no timer fires, like in a stopped process. */
let pausedMs = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  pausedMs = 0;
  const running = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => running() + pausedMs);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const pause = (ms: number) => {
  pausedMs += ms;
};

describe('CheckedTimer', () => {
  it('reports that it fired late after a pause of the process, and not otherwise', () => {
    const fired: boolean[] = [];
    const timer = new CheckedTimer((late) => fired.push(late));
    timer.set(1000);
    pause(LATE_MS);
    vi.advanceTimersByTime(1000);
    timer.set(1000);
    pause(LATE_MS + 1);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([false, true]);
  });

  it('does not fire before its time, although Node fires too early after a pause within a turn', () => {
    const fired = vi.fn();
    const timer = new CheckedTimer(fired);
    timer.set(1000);
    pause(-800);
    vi.advanceTimersByTime(1000);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(800);
    expect(fired).toHaveBeenCalledExactlyOnceWith(false);
  });
});

describe('PauseAwareTimer', () => {
  it('waits for the whole time again when it fires late', () => {
    const action = vi.fn();
    new PauseAwareTimer(1000, action);
    pause(60_000);
    vi.advanceTimersByTime(1000);
    expect(action).not.toHaveBeenCalled();
    vi.advanceTimersByTime(999);
    expect(action).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(action).toHaveBeenCalledOnce();
  });

  it('does nothing once it is cancelled', () => {
    const action = vi.fn();
    new PauseAwareTimer(1000, action).cancel();
    vi.advanceTimersByTime(5000);
    expect(action).not.toHaveBeenCalled();
  });
});

describe('Lease', () => {
  it('restarts after a pause of the process', () => {
    const expired = vi.fn();
    const lease = new Lease(1000, expired);
    pause(60_000);
    vi.advanceTimersByTime(1000);
    expect(expired).not.toHaveBeenCalled();
    expect(lease.remainingMs).toBe(1000);
    vi.advanceTimersByTime(1000);
    expect(expired).toHaveBeenCalledOnce();
  });
});
