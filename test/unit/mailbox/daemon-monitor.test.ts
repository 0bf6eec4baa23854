import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DaemonMonitor, type DaemonStatus } from '../../../server/src/mailbox/daemon-monitor.js';
import { formatAddress } from '../../../server/src/spread/address.js';
import type { SessionOptions } from '../../../server/src/spread/session-options.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import { FakeSession } from '../../support/fake-session.js';
import { regular } from '../../support/plain-events.js';

describe('DaemonMonitor', () => {
  let up: Set<string>;
  let asked: SessionOptions[];
  let sessions: FakeSession[];
  let changes: DaemonStatus[];
  let monitor: DaemonMonitor;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    up = new Set(['4803@one', '4803@two']);
    asked = [];
    sessions = [];
    changes = [];
    monitor = new DaemonMonitor({
      daemons: ['4803@one', '4803@two'],
      connectTimeoutMs: 1_000,
      backoff: { initialMs: 100, maxMs: 1_000, random: () => 0.999999 },
      connect: async (options) => {
        asked.push(options);
        const daemon = formatAddress(options.address as Exclude<SessionOptions['address'], string>);
        if (!up.has(daemon)) throw new SpreadError('COULD_NOT_CONNECT', `${daemon} is not there`);
        const session = new FakeSession('#r1#test');
        sessions.push(session);
        return session;
      },
      onChange: (status) => changes.push(status),
    });
  });
  afterEach(async () => {
    await monitor.stop();
    vi.useRealTimers();
  });

  it('holds a session that nobody sees: no membership, no group, a name that the daemon makes', async () => {
    await monitor.start();
    expect(monitor.status).toMatchObject({
      up: true,
      daemon: '4803@one',
      version: { major: 5, minor: 0, patch: 1 },
    });
    expect(asked[0]).toMatchObject({ membership: false, privateName: '' });
    sessions[0]!.deliver(regular('whatever'));
    expect(sessions[0]!.sent).toEqual([]);
    expect(changes).toHaveLength(1);
  });

  it('finds the next daemon of the list', async () => {
    up.delete('4803@one');
    await monitor.start();
    expect(monitor.status).toMatchObject({ up: true, daemon: '4803@two' });
  });

  it('says down with the reason, and finds the daemon again at a pace that slows down', async () => {
    up.clear();
    await monitor.start();
    expect(monitor.status).toMatchObject({ up: false, error: { code: 'COULD_NOT_CONNECT' } });
    expect(changes).toHaveLength(1);
    const attemptsAfter = async (ms: number) => {
      asked.length = 0;
      await vi.advanceTimersByTimeAsync(ms);
      return asked.length / 2;
    };
    expect(await attemptsAfter(99)).toBe(0);
    expect(await attemptsAfter(1)).toBe(1);
    expect(await attemptsAfter(200)).toBe(1);
    expect(await attemptsAfter(400)).toBe(1);
    expect(await attemptsAfter(10_000)).toBeLessThanOrEqual(11);
    expect(changes).toHaveLength(1);
    up.add('4803@two');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(monitor.status).toMatchObject({ up: true, daemon: '4803@two' });
    expect(changes.map((change) => change.up)).toEqual([false, true]);
  });

  it('notices a daemon that goes away, and its return', async () => {
    await monitor.start();
    await vi.advanceTimersByTimeAsync(60_000);
    up.clear();
    sessions[0]!.lose();
    expect(monitor.status).toMatchObject({ up: false, error: { code: 'CONNECTION_CLOSED' } });
    up.add('4803@one');
    await vi.advanceTimersByTimeAsync(100);
    expect(monitor.status).toMatchObject({ up: true, daemon: '4803@one' });
    expect(changes.map((change) => change.up)).toEqual([true, false, true]);
  });

  it('looks for a daemon that was up for long at the quickest pace again', async () => {
    up.clear();
    await monitor.start();
    await vi.advanceTimersByTimeAsync(10_000);
    up.add('4803@one');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(monitor.status.up).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    sessions[0]!.lose();
    await vi.advanceTimersByTimeAsync(100);
    expect(monitor.status.up).toBe(true);
  });

  it('slows down also for a daemon that takes sessions only to drop them', async () => {
    await monitor.start();
    for (let i = 0; i < 100; i++) {
      sessions.at(-1)!.lose();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(sessions.length).toBeLessThan(20);
  });

  it('says goodbye when it is stopped, and stays stopped', async () => {
    await monitor.start();
    await monitor.stop();
    expect(sessions[0]!.sent).toEqual(['goodbye']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sessions).toHaveLength(1);
    expect(monitor.status.up).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can be stopped between two attempts', async () => {
    up.clear();
    await monitor.start();
    await monitor.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(2);
  });
});
