import { describe, expect, it } from 'vitest';
import type { FloodPlan } from '../../../server/src/cli/flood/flood-plan.js';
import { FloodTally } from '../../../server/src/cli/flood/flood-tally.js';
import { reportToText } from '../../../server/src/cli/flood/flood-text.js';
import { readStamp, stamped } from '../../../server/src/cli/flood/stamp.js';

const plan: FloodPlan = {
  group: 'g',
  senders: 2,
  receivers: 2,
  size: 1000,
  count: 10,
  durationMs: undefined,
  rate: undefined,
  window: 100,
  service: 16,
  patienceMs: 1000,
};

describe('a message of a flood', () => {
  it('contains its stamp at any size', () => {
    const stamp = { sender: 99, index: 2 ** 40, sentAt: 123.456 };
    for (const size of [32, 33, 1000]) {
      const message = stamped(5n, stamp, size);
      expect(message).toHaveLength(size);
      expect(readStamp(5n, message)).toEqual(stamp);
    }
  });

  it('differs from messages of other programs', () => {
    expect(readStamp(5n, stamped(6n, { sender: 0, index: 0, sentAt: 0 }, 32))).toBeUndefined();
    expect(readStamp(5n, Buffer.alloc(31))).toBeUndefined();
  });
});

describe('the tally of a flood', () => {
  const stamp = (sender: number, index: number, sentAt = 0) => ({ sender, index, sentAt });

  it('counts, and knows the backlog of the slowest receiver', () => {
    const tally = new FloodTally(plan);
    for (let i = 0; i < 4; i += 1) tally.onSent(1000 + i);
    tally.onReceived(0, stamp(0, 0, 1000), 1010);
    tally.onReceived(0, stamp(0, 1, 1001), 1011);
    tally.onReceived(1, stamp(0, 0, 1000), 2000);
    expect(tally.behind).toBe(3);
    expect(tally.expected).toBe(8);
    const report = tally.report();
    expect(report).toMatchObject({ sent: 4, received: 3, expected: 8, lost: 5, outOfOrder: 0, seconds: 1 });
    expect(report.sentPerSecond).toBe(4);
    expect(report.latencyMs?.p50).toBeCloseTo(10, 1);
    expect(report.latencyMs?.max).toBeCloseTo(1000, 0);
  });

  it('detects wrong order and duplicates for each sender', () => {
    const tally = new FloodTally(plan);
    for (const [sender, index] of [
      [0, 0],
      [1, 0],
      [0, 2],
      [0, 1],
      [1, 0],
    ] as const)
      tally.onReceived(0, stamp(sender, index), 1);
    expect(tally.report().outOfOrder).toBe(2);
  });

  it('does not count rejected messages as missing', () => {
    const tally = new FloodTally(plan);
    tally.onSent(0);
    tally.onSent(1);
    tally.refused = 1;
    expect(tally.expected).toBe(2);
    expect(tally.behind).toBe(1);
    expect(tally.report()).toMatchObject({ sent: 1, refused: 1, lost: 2 });
  });

  it('prints a readable report', () => {
    const tally = new FloodTally(plan);
    tally.onSent(0);
    tally.onSent(0);
    tally.onReceived(0, stamp(0, 1), 1000);
    tally.onReceived(0, stamp(0, 0), 1000);
    tally.refused = 1;
    expect(reportToText(tally.report()).split('\n')).toEqual([
      'sent         1 messages, 1 per second',
      'received     2 of 2, 2 per second',
      'throughput   0.0 MB/s over 1.00 s',
      expect.stringMatching(/^latency {6}p50 1000\.\d ms, p90 .*, p99\.9 .*, max .* \(mean .*\)$/),
      'refused      1',
      'OUT OF ORDER 1',
    ]);
    expect(reportToText(new FloodTally({ ...plan, receivers: 0 }).report())).not.toContain('latency');
  });
});
