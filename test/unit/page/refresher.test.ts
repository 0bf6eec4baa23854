import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refresher, type Task } from '../../../server/page/src/refresher.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const onRefreshed = vi.fn<(error: unknown) => void>();
  const refresher = new Refresher({ onRefreshed, intervalMs: 100 });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { refresher, onRefreshed, pass };
}

describe('the refresh of the page', () => {
  it('runs the newest task first, and all again after the interval', async () => {
    const { refresher, pass } = setUp();
    const runs: string[] = [];
    refresher.add(async () => void runs.push('status'));
    refresher.add(async () => void runs.push('view'));
    await pass(0);
    expect(runs).toEqual(['view', 'status']);
    await pass(250);
    expect(runs).toHaveLength(6);
  });

  it('starts the interval when the last task has finished', async () => {
    const { refresher, pass } = setUp();
    const task = vi.fn<Task>(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    refresher.add(task);
    await pass(1050);
    expect(task).toHaveBeenCalledTimes(1);
    await pass(100);
    expect(task).toHaveBeenCalledTimes(2);
  });

  it.each(['paused', 'hidden'] as const)(
    'stops while the page is %s, and then runs at once',
    async (reason) => {
      const { refresher, pass } = setUp();
      const task = vi.fn<Task>(async () => {});
      refresher.add(task);
      await pass(0);
      refresher.stop(reason);
      await pass(1000);
      expect(task).toHaveBeenCalledTimes(1);
      refresher.resume(reason);
      await pass(0);
      expect(task).toHaveBeenCalledTimes(2);
    },
  );

  it('continues only when every reason for a stop has ended', async () => {
    const { refresher, pass } = setUp();
    const task = vi.fn<Task>(async () => {});
    refresher.add(task);
    refresher.stop('paused');
    refresher.stop('hidden');
    refresher.resume('hidden');
    await pass(1000);
    expect(task).toHaveBeenCalledTimes(1);
  });

  it('runs a new task once while the page is paused, and never while it is locked', async () => {
    const { refresher, pass } = setUp();
    refresher.stop('paused');
    const task = vi.fn<Task>(async () => {});
    refresher.add(task);
    await pass(1000);
    expect(task).toHaveBeenCalledTimes(1);
    refresher.stop('locked');
    refresher.add(task);
    await pass(1000);
    expect(task).toHaveBeenCalledTimes(1);
  });

  it('aborts the refresh that a new task replaces, without a report', async () => {
    const { refresher, onRefreshed, pass } = setUp();
    const signals: AbortSignal[] = [];
    const remove = refresher.add((signal) => {
      signals.push(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    });
    await pass(0);
    remove();
    refresher.add(async () => {});
    await pass(0);
    expect(signals[0]!.aborted).toBe(true);
    expect(onRefreshed.mock.calls).toEqual([[undefined]]);
  });

  it('reports a failure and tries again after the interval', async () => {
    const { refresher, onRefreshed, pass } = setUp();
    const failure = new Error('no answer');
    refresher.add(vi.fn<Task>().mockRejectedValueOnce(failure).mockResolvedValue());
    await pass(0);
    expect(onRefreshed).toHaveBeenLastCalledWith(failure);
    await pass(100);
    expect(onRefreshed).toHaveBeenLastCalledWith(undefined);
  });
});
