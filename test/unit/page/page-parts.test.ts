import { describe, expect, it } from 'vitest';
import { clientsOf, detailsOf, isNotable, kindOf, matches } from '../../../server/page/src/event-text.js';
import { bytes, duration, rate, ratio, shortIdentity, time } from '../../../server/page/src/format.js';
import { CHART_MS, RateHistory } from '../../../server/page/src/rate-history.js';

const AT = { sequence: 1, at: '2026-01-31T12:00:00.000Z' };

describe('the texts of the status page', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1536, '1.5 KiB'],
    [64 * 1024 * 1024, '64 MiB'],
    [1024 ** 4, '1 TiB'],
  ])('show %d bytes as %s', (value, text) => expect(bytes(value)).toBe(text));

  it.each([
    [-5, '0 s'],
    [1500, '1.5 s'],
    [61_000, '1 min 1 s'],
    [3_600_000, '1 h'],
    [90_061_000, '1 d 1 h'],
  ])('show %d ms as %s', (value, text) => expect(duration(value)).toBe(text));

  it('show rates with a decimal below 10', () => {
    expect([rate(0), rate(1.25), rate(9.99), rate(1234.5)]).toEqual(['0', '1.3', '10', '1,235']);
  });

  it('show the date of a time of another day', () => {
    expect(time('2026-01-31T12:03:05.123Z', '2026-01-31T13:00:00.000Z')).toBe('12:03:05');
    expect(time('2026-01-30T12:03:05.123Z', '2026-01-31T13:00:00.000Z')).toBe('2026-01-30 12:03:05');
  });

  it('shorten the digest of an identity', () => {
    expect(shortIdentity(`token:${'0123456789abcdef'.repeat(4)}`)).toBe('token:01234567…');
    expect(shortIdentity('client:billing')).toBe('client:billing');
  });

  it('show how much of a limit is used', () => {
    expect([ratio(5, 10), ratio(20, 10), ratio(0, 0), ratio(1, 0)]).toEqual([0.5, 1, 0, 1]);
  });
});

describe('the events of the status page', () => {
  it('are notable when an operator did not ask for them', () => {
    const ended = (reason: string) => ({ ...AT, kind: 'mailbox-ended', reason });
    expect(isNotable(ended('LEASE_EXPIRED'))).toBe(true);
    expect(kindOf(ended('QUEUE_OVERFLOW')).tone).toBe('bad');
    expect(isNotable(ended('DISCONNECTED'))).toBe(false);
    expect(isNotable({ ...AT, kind: 'mailbox-connected' })).toBe(false);
    expect(isNotable({ ...AT, kind: 'daemon-down' })).toBe(true);
    expect(kindOf({ ...AT, kind: 'a-new-kind' }).text).toBe('a-new-kind');
  });

  it('show the queue of a slow consumer, and the client that an earlier event names', () => {
    const slow = { ...AT, kind: 'slow-consumer', mailbox: 'm1', queuedEvents: 800, maxEvents: 1000 };
    expect(detailsOf({ ...slow, queuedBytes: 2048, maxBytes: 4096 })).toBe(
      'queue: 800 of 1,000 events, 2 KiB of 4 KiB',
    );
    const connected = { ...AT, kind: 'mailbox-connected', mailbox: 'm1', client: 'client:billing' };
    const client = clientsOf([connected, slow]).get('m1');
    expect(client).toBe('client:billing');
    expect([matches(slow, 'billing', client), matches(slow, 'billing'), matches(slow, '')]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe('the history of rates', () => {
  it('computes rates from counters, and ignores a snapshot that it has', () => {
    const history = new RateHistory();
    history.record('m1', 1000, 100, 10);
    history.record('m1', 3000, 300, 20);
    history.record('m1', 3000, 300, 20);
    expect(history.series('m1')).toEqual([[3], [100], [5]]);
    expect(history.series('m2')).toEqual([[], [], []]);
  });

  it('keeps two minutes, and forgets mailboxes that are no longer shown', () => {
    const history = new RateHistory();
    for (let at = 0; at <= 10 * CHART_MS; at += 1000) history.record('m1', at, at, 0);
    expect(history.series('m1')[0]).toHaveLength(CHART_MS / 1000 + 1);
    history.prune(11 * CHART_MS + 1);
    expect(history.size).toBe(0);
  });
});
