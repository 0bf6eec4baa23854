import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KeepAlive } from '../../../clients/typescript/src/keep-alive.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('calls in thirds of the lease without other use', () => {
  const ping = vi.fn(async () => {});
  const keepAlive = new KeepAlive(3000, () => false, ping);
  vi.advanceTimersByTime(900);
  expect(ping).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10_000);
  expect(ping.mock.calls.length).toBeGreaterThanOrEqual(6);
  keepAlive.close();
});

it('calls at the same rate when the wall clock changes', () => {
  const ping = vi.fn(async () => {});
  const keepAlive = new KeepAlive(3000, () => false, ping);
  vi.setSystemTime(Date.now() - 3_600_000);
  vi.advanceTimersByTime(10_000);
  expect(ping.mock.calls.length).toBeGreaterThanOrEqual(6);
  keepAlive.close();
});

it.each([0, -5, 315_576_000_000_000])('accepts any lease of a sidecar: %i ms', (leaseMs) => {
  const every = vi.spyOn(globalThis, 'setInterval');
  const keepAlive = new KeepAlive(
    leaseMs,
    () => false,
    async () => {},
  );
  const [, ms] = every.mock.calls[0]!;
  // Outside of this range, Node uses 1 ms.
  expect(ms).toBeGreaterThanOrEqual(25);
  expect(ms).toBeLessThanOrEqual(2 ** 31 - 1);
  keepAlive.close();
});
