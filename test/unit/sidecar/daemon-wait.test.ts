import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DaemonWait } from '../../../server/src/sidecar/daemon-wait.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

it('reports a wait for the daemon repeatedly, with growing pauses, at least once a minute', () => {
  const reports: number[] = [];
  const wait = new DaemonWait((waitedMs) => reports.push(Math.round(waitedMs / 1000)));
  wait.begin();
  vi.advanceTimersByTime(2000);
  // A second failure does not restart the wait.
  wait.begin();
  vi.advanceTimersByTime(193_000);
  expect(reports).toEqual([5, 15, 35, 75, 135, 195]);
  wait.end();
  vi.advanceTimersByTime(600_000);
  expect(reports).toHaveLength(6);
  wait.begin();
  vi.advanceTimersByTime(5000);
  expect(reports.at(-1)).toBe(5);
  wait.end();
});
