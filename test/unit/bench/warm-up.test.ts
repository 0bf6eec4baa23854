import { describe, expect, it } from 'vitest';
import { isWarm, MeasuredCount, WarmUp, type Window } from '../../bench/roles/warm-up.js';
import { warmUpRule } from '../../bench/scenarios/measured.js';

const windows = (...pairs: [time: number, cpu: number][]): Window[] =>
  pairs.map(([time, cpu]) => ({ time, cpu }));

describe('a warm-up', () => {
  it('continues before three windows', () => {
    expect(isWarm(windows([100, 50], [100, 50]), 40)).toBe(false);
  });

  it('continues while the time of a message falls', () => {
    expect(isWarm(windows([300, 50], [200, 50], [150, 50]), 40)).toBe(false);
  });

  it('continues while the processor time falls', () => {
    expect(isWarm(windows([100, 90], [100, 70], [100, 50]), 40)).toBe(false);
  });

  it('ends when three windows in a row agree', () => {
    expect(isWarm(windows([300, 90], [102, 51], [100, 50], [98, 49]), 40)).toBe(true);
  });

  it('ends after its maximum of windows that do not agree', () => {
    const noisy = Array.from({ length: 40 }, (_, index): [number, number] => [index % 2 ? 100 : 200, 50]);
    expect(isWarm(windows(...noisy.slice(0, 39)), 40)).toBe(false);
    expect(isWarm(windows(...noisy), 40)).toBe(true);
  });

  it('of a throughput scenario has windows of a quarter of a second, and one small window in a quick run', () => {
    expect(warmUpRule(2000, { seconds: 2, quick: false })).toEqual({ window: 500, maxWindows: 20 });
    expect(warmUpRule(2000, { seconds: 2, quick: true })).toEqual({ window: 200, maxWindows: 1 });
  });
});

/** Clocks that only move when the test moves them. */
class FakeClocks {
  seconds = 1000;
  cpuSeconds = 10;
  now = () => this.seconds;
  cpu = () => this.cpuSeconds;

  pass(seconds: number, cpu: number): void {
    this.seconds += seconds;
    this.cpuSeconds += cpu;
  }
}

describe('the windows of a warm-up', () => {
  const ends = (times: readonly (readonly [seconds: number, cpu: number])[]) => {
    const clocks = new FakeClocks();
    const warmUp = new WarmUp({ window: 10, maxWindows: 40 }, clocks);
    return times.map(([seconds, cpu]) => {
      clocks.pass(seconds, cpu);
      return warmUp.endWindow();
    });
  };

  it('compare throughput', () => {
    expect(
      ends([
        [9, 1],
        [5, 1],
        [5.1, 1],
        [5, 1],
      ]),
    ).toEqual([false, false, false, true]);
  });

  it('compare processor time', () => {
    expect(
      ends([
        [5, 3],
        [5, 2],
        [5, 1],
        [5, 1],
        [5, 1.01],
      ]),
    ).toEqual([false, false, false, false, true]);
  });

  it('compare a given time instead of throughput', () => {
    const clocks = new FakeClocks();
    const warmUp = new WarmUp({ window: 10, maxWindows: 40 }, clocks);
    const given = [8, 4, 4, 4].map((time, index) => {
      clocks.pass(index + 1, 1);
      return warmUp.endWindow(time);
    });
    expect(given).toEqual([false, false, false, true]);
    expect(warmUp.messages).toBe(40);
  });
});

describe('the measured messages', () => {
  it('follow the warm-up, and the duration is that of the measured part alone', async () => {
    const clocks = new FakeClocks();
    let warmAt = 0;
    let added = 0;
    const order = { warmUp: { window: 10, maxWindows: 40 }, count: 5 };
    const measured = new MeasuredCount(
      order,
      () => {
        warmAt = added;
      },
      clocks,
    );
    // The first 20 messages are slower.
    while (!measured.isFinished) {
      clocks.pass(added < 20 ? 3 : 1, 0.5);
      added += 1;
      measured.add();
    }
    expect([warmAt, measured.warmUp, added]).toEqual([50, 50, 55]);
    clocks.pass(100, 1);
    measured.add();
    expect(await measured.finished).toBe(5);
  });

  it('have no warm-up before the first message', () => {
    const measured = new MeasuredCount({ warmUp: { window: 1, maxWindows: 1 }, count: 1 }, () => {});
    expect([measured.warmUp, measured.isFinished]).toEqual([0, false]);
  });
});
