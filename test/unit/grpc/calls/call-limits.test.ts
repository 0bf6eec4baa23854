import { describe, expect, it } from 'vitest';
import { type CallBounds, CallLimits } from '../../../../server/src/grpc/calls/call-limits.js';
import { clientOf } from '../../../../server/src/grpc/calls/open-calls.js';
import { GRPC_BOUNDS } from '../../../support/sidecars/grpc-bounds.js';

function limitsOf(bounds: Partial<CallBounds>) {
  let now = 0;
  const limits = new CallLimits({ ...GRPC_BOUNDS.calls, ...bounds }, () => now);
  return { limits, pass: (ms: number) => (now += ms) };
}
const error = (reason: string, limit: string, retryDelayMs: number) =>
  expect.objectContaining({ reason, metadata: expect.objectContaining({ limit }), retryDelayMs });

describe('CallLimits', () => {
  it('accepts as many calls as allowed, of all clients', () => {
    const { limits } = limitsOf({ maxCalls: 2 });
    const first = limits.enter('a');
    limits.enter('b');
    expect(() => limits.enter('c')).toThrow(error('TOO_MANY_CALLS', 'limits.maxCalls', 1000));
    limits.leave(first);
    limits.enter('c');
    expect(limits.calls).toBe(2);
  });

  it('accepts as many calls of one client as allowed', () => {
    const { limits } = limitsOf({ maxCallsPerClient: 2 });
    const first = limits.enter('a');
    limits.enter('a');
    expect(() => limits.enter('a')).toThrow(error('TOO_MANY_CALLS', 'limits.maxCallsPerClient', 1000));
    limits.enter('b');
    limits.leave(first);
    limits.enter('a');
  });

  it('limits the calls of a client in a second, and reports when the next may start', () => {
    const { limits, pass } = limitsOf({ callsPerSecond: 2 });
    for (let i = 0; i < 2; i++) limits.leave(limits.enter('a'));
    expect(() => limits.enter('a')).toThrow(error('RATE_LIMITED', 'limits.maxCallsPerSecond', 500));
    limits.enter('b');
    pass(499);
    expect(() => limits.enter('a')).toThrow(error('RATE_LIMITED', 'limits.maxCallsPerSecond', 1));
    pass(1);
    limits.enter('a');
  });

  it('names the limit and the delay', () => {
    const { limits } = limitsOf({ maxCallsPerClient: 1, callsPerSecond: 2, messagesPerSecond: 10 });
    const use = limits.enter('a');
    use.spendMessages(10);
    expect(() => use.takeMessage()).toThrow(
      'this client may send at most 10 messages per second; retry after 100 ms',
    );
    expect(() => limits.enter('a')).toThrow('this client has reached its limit of open calls: 1');
    limits.leave(use);
    limits.leave(limits.enter('a'));
    expect(() => limits.enter('a')).toThrow(
      'this client may start at most 2 calls per second; retry after 500 ms',
    );
  });

  it('does not count a rejected call', () => {
    const { limits } = limitsOf({ maxCalls: 1, callsPerSecond: 1 });
    limits.leave(limits.enter('a'));
    for (let i = 0; i < 5; i++) expect(() => limits.enter('a')).toThrow();
    limits.enter('b');
    expect(limits.calls).toBe(1);
  });

  it('counts calls that it must accept', () => {
    const { limits } = limitsOf({ maxCalls: 1 });
    const always = limits.enterAlways('a');
    limits.enterAlways('a');
    expect(() => limits.enter('a')).toThrow();
    limits.leave(always);
    expect(limits.calls).toBe(1);
  });

  it('rejects a message, or counts those of a batch and reports how long the next must wait', () => {
    const { limits, pass } = limitsOf({ messagesPerSecond: 10 });
    const use = limits.enter('a');
    use.takeMessage();
    expect(use.spendMessages(9)).toBe(0);
    expect(() => use.takeMessage()).toThrow(error('RATE_LIMITED', 'limits.maxMessagesPerSecond', 100));
    expect(use.spendMessages(20)).toBe(2000);
    expect(limits.enter('a').spendMessages(0)).toBe(2000);
    pass(2000);
    expect(use.spendMessages(0)).toBe(0);
    expect(() => use.takeMessage()).toThrow();
    pass(100);
    use.takeMessage();
  });

  it('forgets clients, but not before their rates have recovered', () => {
    const { limits, pass } = limitsOf({ callsPerSecond: 10 });
    for (let i = 0; i < 1000; i++) limits.leave(limits.enter(`10.0.0.${i}`));
    expect(limits.clients).toBe(1000);
    const open = limits.enter('a');
    pass(1000);
    // Old entries are removed from time to time, at the latest when the number has doubled.
    for (let i = 0; i < 3000; i++) limits.leave(limits.enter(`10.0.1.${i}`));
    pass(1000);
    for (let i = 0; i < 3000; i++) limits.leave(limits.enter(`10.0.2.${i}`));
    expect(limits.clients).toBeLessThan(7000);
    pass(1000);
    limits.leave(open);
    expect(limits.calls).toBe(0);

    const unbounded = limitsOf({}).limits;
    for (let i = 0; i < 100; i++) unbounded.leave(unbounded.enter(`${i}`));
    expect(unbounded.clients).toBe(0);
  });
});

describe('the client to which a call is counted', () => {
  it.each([
    ['a token', 'client:billing', 'tcp', '10.0.0.1', 'client:billing'],
    ['a certificate', 'certificate:ab', 'certificate:ab', '10.0.0.1', 'certificate:ab'],
    ['both', 'certificate:ab client:billing', 'certificate:ab', '10.0.0.1', 'certificate:ab client:billing'],
    ['neither, over TCP', 'tcp', 'tcp', '10.0.0.1', 'tcp 10.0.0.1'],
    ['neither, over TLS', 'tls', 'tls', '::1', 'tls ::1'],
    ['neither, over a Unix socket', 'unix', 'unix', undefined, 'unix'],
  ] as const)('%s', (_, caller, connection, address, expected) => {
    expect(clientOf(caller, connection, address)).toBe(expected);
  });
});

describe('the share of a connection', () => {
  it('a connection above its share gets TOO_MANY_CALLS, one with few calls continues', () => {
    const { limits } = limitsOf({ maxCalls: 100 });
    const [greedyOne, other, newcomer] = [{}, {}, {}];
    limits.enter('a', other);
    let own = 0;
    expect(() => {
      for (;;) {
        limits.enter('a', greedyOne);
        own++;
      }
    }).toThrow(error('TOO_MANY_CALLS', 'limits.maxCalls', 1000));
    expect(own).toBeLessThan(90);
    limits.enter('a', newcomer);
  });
});
