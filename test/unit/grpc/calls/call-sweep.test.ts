import { describe, expect, it } from 'vitest';
import { CallSweep, type SweepBounds, type SweptCall } from '../../../../server/src/grpc/calls/call-sweep.js';
import type { EdgeError } from '../../../../server/src/grpc/codec/edge-error.js';
import { GRPC_BOUNDS } from '../../../support/sidecars/grpc-bounds.js';

class FakeCall implements SweptCall {
  awaitsRequest = false;
  isResponseComplete = false;
  unsentBytes = 0;
  failed: EdgeError | undefined;
  abandoned = false;

  constructor(
    readonly connection: string,
    public bufferedBytes = 0,
  ) {}

  noteUnsent(): void {}

  fail(error: EdgeError): void {
    this.failed = error;
    this.bufferedBytes = 0;
  }

  abandon(): void {
    this.abandoned = true;
  }
}

function sweepOf(bounds: Partial<SweepBounds>) {
  let now = 0;
  const limits: string[] = [];
  const sweep = new CallSweep(
    { ...GRPC_BOUNDS.sweep, requestTimeoutMs: 60_000, ...bounds },
    (limit) => limits.push(limit),
    () => now,
  );
  const open = (...calls: FakeCall[]) => {
    for (const call of calls) {
      sweep.opened(call);
    }
    return calls;
  };
  return { sweep, limits, open, pass: (ms: number) => (now += ms) };
}

describe('a request that does not end', () => {
  it('has a time limit', () => {
    const { sweep, limits, open, pass } = sweepOf({ requestTimeoutMs: 1000 });
    const [slow, done] = open(new FakeCall('a'), new FakeCall('a'));
    slow!.awaitsRequest = true;
    pass(500);
    const [late] = open(new FakeCall('a'));
    late!.awaitsRequest = true;
    pass(500);
    sweep.sweep();
    expect(slow!.failed).toBeUndefined();
    pass(1);
    sweep.sweep();
    expect(slow!.failed).toMatchObject({
      reason: 'REQUEST_TIMEOUT',
      metadata: { limit: 'limits.requestTimeout', bound: '1000 ms', outcome: 'not-sent' },
    });
    expect([done!.failed, late!.failed]).toEqual([undefined, undefined]);
    expect(limits).toEqual(['limits.requestTimeout']);
  });
});

describe('bytes that the client does not read', () => {
  it('are allowed up to the limit', () => {
    const { sweep, open } = sweepOf({ maxBufferedBytes: 100 });
    const calls = open(new FakeCall('a', 60), new FakeCall('b', 40));
    sweep.sweep();
    expect(calls.map(({ failed }) => failed)).toEqual([undefined, undefined]);
  });

  it('above the limit, the largest calls of the connection with the most bytes end, as far as needed', () => {
    const { sweep, limits, open } = sweepOf({ maxBufferedBytes: 100 });
    const many = open(...Array.from({ length: 10 }, (_, i) => new FakeCall('many', 10 + i)));
    const [single, idle] = open(new FakeCall('single', 45), new FakeCall('idle', 0));
    sweep.sweep();
    const left = many.filter(({ failed }) => failed === undefined);
    expect(left.reduce((sum, call) => sum + call.bufferedBytes, 45)).toBeLessThanOrEqual(100);
    expect(left.map(({ bufferedBytes }) => bufferedBytes)).toEqual([10, 11, 12, 13]);
    expect(many.at(-1)?.failed).toMatchObject({
      reason: 'REQUEST_BUFFER_FULL',
      metadata: { limit: 'limits.maxBufferedRequestBytes', bound: '100 bytes' },
      retryDelayMs: 1000,
    });
    expect([single!.failed, idle!.failed]).toEqual([undefined, undefined]);
    expect(limits).toHaveLength(6);
  });

  it('do not count after the end of their call', () => {
    const { sweep, open } = sweepOf({ maxBufferedBytes: 100 });
    const [first, second] = open(new FakeCall('a', 60), new FakeCall('a', 60));
    sweep.ended(first!);
    sweep.sweep();
    expect(second!.failed).toBeUndefined();
  });
});

describe('a status that the client does not read', () => {
  it('can wait while the client reads some of it', () => {
    const { sweep, limits, open, pass } = sweepOf({ stallTimeoutMs: 1000 });
    const [slow, stalled, gone] = open(new FakeCall('a'), new FakeCall('a'), new FakeCall('a'));
    slow!.unsentBytes = 100;
    for (const call of [slow!, stalled!, gone!]) sweep.ended(call);
    sweep.closed(gone!);
    pass(900);
    slow!.unsentBytes = 50;
    sweep.sweep();
    pass(101);
    sweep.sweep();
    expect([slow!, stalled!, gone!].map(({ abandoned }) => abandoned)).toEqual([false, true, false]);
    pass(900);
    sweep.sweep();
    expect(slow!.abandoned).toBe(true);
    expect(limits).toEqual(['limits.stallTimeout', 'limits.stallTimeout']);
  });

  it('is detected too if a call ends only after the client has read', () => {
    const { sweep, open, pass } = sweepOf({ stallTimeoutMs: 1000 });
    const [unary, stream] = open(new FakeCall('a'), new FakeCall('a'));
    for (const call of [unary!, stream!]) call.unsentBytes = 100;
    unary!.isResponseComplete = true;
    sweep.sweep();
    pass(1001);
    sweep.sweep();
    expect([unary!.abandoned, stream!.abandoned]).toEqual([true, false]);
  });
});
