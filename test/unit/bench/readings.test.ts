import { EventBatch, ReceiveResponse } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { progressOf } from '../../bench/native/flooder.js';
import { roundTripOf } from '../../bench/native/pinger.js';
import { CpuWatch, cpuSeconds, cpuSecondsOf, memoryMiB, residentKiB } from '../../bench/process-meter.js';
import { selfTimes } from '../../bench/profile.js';
import { CreditReader, SlowestCount } from '../../bench/roles/credit.js';
import { countEvents } from '../../bench/roles/raw-receiver.js';
import { windowOf } from '../../bench/scenarios/flow.js';

describe('the output of the C tools', () => {
  it.each([
    ['flooder: completed   1000 messages of 100 bytes', 1000],
    ['flooder: completed 250000 messages of 100 bytes', 250_000],
    ['flooder: completed multicast of 1000 messages, 100 bytes each.', undefined],
    ['flooder: connecting to 4803', undefined],
  ])('%s', (line, expected) => {
    expect(progressOf(line)).toBe(expected);
  });

  it.each([
    ['100 bytes from #a#localhost: seq = 7 time = 0.214 ms', 214],
    ['PING spping: 100 data bytes', undefined],
    ['round-trip mean/stddev = 0.214/0.1 ms', undefined],
  ])('%s', (line, expected) => {
    expect(roundTripOf(line)).toBe(expected);
  });
});

describe('/proc', () => {
  it('is parsed after a name with spaces and parentheses', () => {
    const stat = `42 (a (b) c) S 1 1 1 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 1`;
    expect(cpuSecondsOf(stat)).toBe(2);
  });

  it('has nothing for a process that has ended', () => {
    expect(cpuSeconds(2 ** 30)).toBeUndefined();
    expect(residentKiB(2 ** 30)).toBeUndefined();
    expect(() => memoryMiB(2 ** 30, 'peak')).toThrow('/proc has no memory of the process');
    expect(new CpuWatch([2 ** 30]).stop()).toBe(0);
  });

  it.runIf(process.platform === 'linux')('knows this process', () => {
    expect(cpuSeconds(process.pid)).toBeGreaterThan(0);
    expect(residentKiB(process.pid)).toBeGreaterThan(1024);
    const now = memoryMiB(process.pid, 'now');
    expect(now).toBeGreaterThan(1);
    expect(memoryMiB(process.pid, 'peak')).toBeGreaterThanOrEqual(now);
    expect(new CpuWatch([process.pid]).stop()).toBeGreaterThan(0);
  });
});

describe('the window', () => {
  it('is the position of the slowest of several receivers', () => {
    const slowest = new SlowestCount(2, 2);
    expect([0, 0, 0, 1].map((connection) => slowest.add(connection))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(slowest.add(1)).toBe(2);
    expect(slowest.add(1)).toBeUndefined();
    expect(slowest.add(1)).toBeUndefined();
    expect(slowest.add(0)).toBe(4);
  });

  it('reads confirmations in pieces or several at once', () => {
    const reader = new CreditReader();
    const bytes = Buffer.alloc(12);
    bytes.writeUInt32LE(64, 0);
    bytes.writeUInt32LE(128, 4);
    bytes.writeUInt32LE(192, 8);
    reader.push(bytes.subarray(0, 3));
    expect(reader.confirmed).toBe(0);
    reader.push(bytes.subarray(3, 10));
    expect(reader.confirmed).toBe(128);
    reader.push(bytes.subarray(10));
    expect(reader.confirmed).toBe(192);
  });

  it('has limits', () => {
    expect(windowOf(100)).toBe(8192);
    expect(windowOf(100_000)).toBe(167);
    expect(windowOf(100_000, 100)).toBe(64);
  });
});

describe('a profile', () => {
  it('has self times by function and location, without waiting times', () => {
    const frame = (functionName: string, url = '', lineNumber = 0) => ({
      callFrame: { functionName, url, lineNumber },
    });
    const profile = {
      nodes: [
        { id: 1, ...frame('(idle)') },
        { id: 2, ...frame('push', 'file:///x/dist/server/a.js', 9) },
        { id: 3, ...frame('', 'file:///x/node_modules/b/c.js') },
        { id: 4, ...frame('push', 'file:///x/dist/server/a.js', 9) },
      ],
      samples: [1, 2, 3, 4],
      timeDeltas: [1000, 1, 2, 5],
    };
    expect(selfTimes(profile, 0)).toEqual([
      { name: 'push server/a.js:10', part: 0.75 },
      { name: '(anonymous) b/c.js:1', part: 0.25 },
    ]);
    // Without the loading of the program.
    expect(selfTimes(profile, 1003)).toEqual([
      { name: 'push server/a.js:10', part: 5 / 7 },
      { name: '(anonymous) b/c.js:1', part: 2 / 7 },
    ]);
  });
});

describe('events in a frame', () => {
  const frame = (sizes: readonly number[]) =>
    Buffer.from(
      ReceiveResponse.encode({
        frame: {
          $case: 'batch',
          value: EventBatch.fromPartial({
            events: sizes.map((size, index) => ({
              sequence: BigInt(index + 1),
              event: { $case: 'regularMessage', value: { payload: Buffer.alloc(size) } },
            })),
          }),
        },
      }).finish(),
    );

  it.each([[[]], [[0]], [[1, 100, 200, 20_000]]])('are counted: payloads of %j', (sizes) => {
    expect(countEvents(frame(sizes))).toBe(sizes.length);
  });

  it('are zero in another frame', () => {
    const heartbeat = ReceiveResponse.encode({
      frame: { $case: 'heartbeat', value: { lastSequence: 3n, time: undefined } },
    }).finish();
    expect(countEvents(Buffer.from(heartbeat))).toBe(0);
  });
});
