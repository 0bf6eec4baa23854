import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SlowConsumerNotice } from '../../../../server/src/mailbox/queue/receiver.js';
import { createEvents, createLogger, logEvents } from '../../../../server/src/observability/index.js';
import { LogThrottle } from '../../../../server/src/observability/log/log-throttle.js';

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

describe('LogThrottle', () => {
  it('writes a few lines of a kind in ten seconds, and counts the suppressed ones', () => {
    let now = 0;
    const throttle = new LogThrottle(2, () => now);
    const lines = () => Array.from({ length: 5 }, () => throttle.admit('a', () => {}));
    expect(lines()).toEqual([{}, {}, undefined, undefined, undefined]);
    expect(throttle.admit('b', () => {})).toEqual({});
    now = 9_999;
    expect(throttle.admit('a', () => {})).toBeUndefined();
    now = 10_000;
    expect(lines()).toEqual([{ more: 4 }, {}, undefined, undefined, undefined]);
    throttle.flush();
  });

  it('reports the count of each kind when its ten seconds end without a further line', () => {
    fakeTime();
    const throttle = new LogThrottle(1);
    const reports: [string, number, number][] = [];
    const admit = (kind: string) =>
      throttle.admit(kind, (more) => reports.push([kind, more, performance.now() - startedAt]));
    const startedAt = performance.now();
    for (let i = 0; i < 5; i++) admit('a');
    vi.advanceTimersByTime(4_000);
    for (let i = 0; i < 3; i++) admit('b');
    vi.advanceTimersByTime(5_999);
    expect(reports).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(reports).toEqual([
      ['a', 4, 10_000],
      ['b', 2, 14_000],
    ]);
    expect(admit('a')).toEqual({});
    expect(vi.getTimerCount()).toBe(0);
  });

  it('reports a line at most once, by the next line, by time or by flush', () => {
    fakeTime();
    const throttle = new LogThrottle(1);
    let reported = 0;
    const admit = () => throttle.admit('a', (more) => (reported += more));
    for (let i = 0; i < 5; i++) admit();
    throttle.flush();
    expect(reported).toBe(4);
    expect(vi.getTimerCount()).toBe(0);
    admit();
    vi.advanceTimersByTime(10_000);
    expect(reported).toBe(5);
    throttle.flush();
    expect(reported).toBe(5);
    expect(admit()).toEqual({});
  });

  it('keeps no process running', () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const before = timers();
    const throttle = new LogThrottle(1);
    for (let i = 0; i < 2; i++) throttle.admit('a', () => {});
    expect(timers()).toBe(before);
    throttle.flush();
  });
});

describe('the log of events that clients cause', () => {
  const mailbox = { displayId: 'm1', privateGroup: '#a#b', daemon: '4803' };
  const queue: SlowConsumerNotice = {
    queuedEvents: 8,
    queuedBytes: 80,
    limits: { maxEvents: 10, maxBytes: 100, replayBytes: 0, overflow: 'PAUSE' },
    mark: { events: 8, bytes: 80 },
    timeLeftMs: undefined,
  };
  const refused = Object.assign(new Error('refused'), { code: 'COULD_NOT_CONNECT' });

  it('stays small, with counts, for any number of events', () => {
    let now = 0;
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
    const log = createLogger({ level: 'info', format: 'json', destination });
    const subscriber = logEvents(log, () => now);
    const events = createEvents([subscriber]);
    const flood = () => {
      for (let i = 0; i < 1000; i++) {
        events.mailbox.opened(mailbox, { peer: '', identity: 'tcp' });
        events.mailbox.connectFailed('4803', refused);
        events.mailbox.paused(mailbox);
        events.mailbox.resumed(mailbox);
        events.mailbox.slowConsumer(mailbox, queue);
        events.mailbox.ended(mailbox, 'QUEUE_OVERFLOW', 'full');
        events.mailbox.ended(mailbox, 'DISCONNECTED', 'bye');
        events.mailbox.foreignCall(mailbox);
        events.mailbox.defect(new Error('a bug'));
        events.security.refused('CREDENTIAL_MISSING', {});
        events.limits.reached('limits.maxCalls', {});
      }
    };
    flood();
    expect(lines.length).toBeLessThan(70);
    now = 10_000;
    lines.length = 0;
    flood();
    const counts = lines.filter(({ more }) => more !== undefined).map(({ more }) => more);
    expect(counts.filter((more) => more === 990)).toHaveLength(6);
    expect(counts.filter((more) => more === 999)).toHaveLength(3);
    subscriber.flush();
  });

  it('ends with the counts of each kind once they stop', () => {
    fakeTime();
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
    const log = logEvents(createLogger({ level: 'debug', format: 'json', destination }));
    const events = createEvents([log]);
    const flood = () => {
      for (let i = 0; i < 1000; i++) {
        events.mailbox.slowConsumer(mailbox, queue);
        events.security.refused('CREDENTIAL_MISSING', {});
        events.security.refused('TLS_GONE', {});
        events.limits.reached('limits.maxCalls', {});
        events.embedded.event({
          kind: 'client-refused',
          transport: 'tcp',
          code: 'REJECT_ILLEGAL_NAME',
          message: 'too long',
        });
      }
    };
    const counts = [
      { level: 'warn', kind: 'CREDENTIAL_MISSING', more: 999 },
      { level: 'debug', kind: 'TLS_GONE', more: 999 },
      { level: 'warn', kind: 'limits.maxCalls', more: 999 },
      { level: 'warn', kind: 'slow consumer', more: 990 },
      { level: 'info', kind: 'embedded client-refused', more: 990 },
    ];
    flood();
    lines.length = 0;
    vi.advanceTimersByTime(10_000);
    expect(lines).toMatchObject(counts);
    flood();
    lines.length = 0;
    log.flush();
    expect(lines).toMatchObject(counts);
  });
});
