import { describe, expect, it } from 'vitest';
import { createEvents, createLogger, logEvents } from '../../../server/src/observability/index.js';
import { LogThrottle } from '../../../server/src/observability/log-throttle.js';

describe('LogThrottle', () => {
  it('lets a few lines of a kind through in ten seconds, and counts those between', () => {
    let now = 0;
    const throttle = new LogThrottle(2, () => now);
    const lines = () => Array.from({ length: 5 }, () => throttle.admit('a'));
    expect(lines()).toEqual([{}, {}, undefined, undefined, undefined]);
    expect(throttle.admit('b')).toEqual({});
    now = 9_999;
    expect(throttle.admit('a')).toBeUndefined();
    now = 10_000;
    expect(lines()).toEqual([{ more: 4 }, {}, undefined, undefined, undefined]);
  });
});

describe('the log of what clients cause', () => {
  const mailbox = { displayId: 'm1', privateGroup: '#a#b', daemon: '4803' };
  const queue = {
    queuedEvents: 8,
    queuedBytes: 80,
    limits: { maxEvents: 10, maxBytes: 100 },
    timeLeftMs: undefined,
  };
  const refused = Object.assign(new Error('refused'), { code: 'COULD_NOT_CONNECT' });

  it('stays small, with counts, whatever they do how often', () => {
    let now = 0;
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
    const log = createLogger({ level: 'info', format: 'json', destination });
    const events = createEvents([logEvents(log, () => now)]);
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
  });
});
