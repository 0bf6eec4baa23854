import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ShutdownDelay } from '../../../server/src/sidecar/shutdown-delay.js';

let used = true;

function pass(delay: ShutdownDelay, mostMs: number) {
  const state = { over: false };
  void delay.pass(mostMs).then(() => {
    state.over = true;
  });
  return state;
}

beforeEach(() => {
  used = true;
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

describe('the shutdown delay', () => {
  it('has its full length while the sidecar is used', async () => {
    const state = pass(new ShutdownDelay(() => used), 10_000);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(state.over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(state.over).toBe(true);
  });

  it('ends after a second without use, and not before', async () => {
    const state = pass(new ShutdownDelay(() => used), 60_000);
    await vi.advanceTimersByTimeAsync(5_000);
    used = false;
    await vi.advanceTimersByTimeAsync(900);
    used = true;
    await vi.advanceTimersByTimeAsync(100);
    used = false;
    await vi.advanceTimersByTimeAsync(900);
    expect(state.over).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(state.over).toBe(true);
  });

  it('leaves a second for new clients, also without earlier ones', async () => {
    used = false;
    const state = pass(new ShutdownDelay(() => used), 60_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(state.over).toBe(false);
    await vi.advanceTimersByTimeAsync(51);
    expect(state.over).toBe(true);
  });

  it('ends immediately on request, also before its start', async () => {
    const delay = new ShutdownDelay(() => used);
    const state = pass(delay, 60_000);
    await vi.advanceTimersByTimeAsync(10);
    delay.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.over).toBe(true);
    const again = pass(delay, 60_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(again.over).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
