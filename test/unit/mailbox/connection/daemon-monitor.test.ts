import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  DaemonMonitor,
  type DaemonStatus,
} from '../../../../server/src/mailbox/connection/daemon-monitor.js';
import type { OutgoingMessage } from '../../../../server/src/mailbox/mailbox-types.js';
import { formatAddress } from '../../../../server/src/spread/address.js';
import type { SessionOptions } from '../../../../server/src/spread/session-options.js';
import { SpreadError } from '../../../../server/src/spread/spread-error.js';
import { FakeSession } from '../../../support/mailboxes/fake-session.js';
import { regular } from '../../../support/mailboxes/plain-events.js';

/** A session of a daemon that returns the messages of the session to itself. */
class EchoSession extends FakeSession {
  /** The groups of messages for others. */
  readonly toOthers: string[] = [];

  constructor(private readonly echoAfterMs: () => number | undefined) {
    super('#r1#test');
  }

  override multicast(message: OutgoingMessage): boolean {
    this.toOthers.push(...message.groups.filter((group) => group !== this.privateGroup));
    const ms = this.echoAfterMs();
    const echo = regular(message.payload.toString('latin1'), this.privateGroup);
    if (ms !== undefined) setTimeout(() => this.deliver(echo), ms);
    return super.multicast(message);
  }
}

describe('DaemonMonitor', () => {
  let up: Set<string>;
  let attempts: SessionOptions[];
  let sessions: EchoSession[];
  let changes: DaemonStatus[];
  let monitor: DaemonMonitor;
  let roundTrips: number[];
  /** Time until daemons return a message. Undefined: never. Unit: ms. */
  let echoAfterMs: number | undefined;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    up = new Set(['4803@one', '4803@two']);
    attempts = [];
    sessions = [];
    changes = [];
    roundTrips = [];
    echoAfterMs = 3;
    monitor = new DaemonMonitor({
      daemons: ['4803@one', '4803@two'],
      connectTimeoutMs: 1_000,
      backoff: { initialMs: 100, maxMs: 1_000, random: () => 0.999999 },
      connect: async (options) => {
        attempts.push(options);
        const daemon = formatAddress(options.address as Exclude<SessionOptions['address'], string>);
        if (!up.has(daemon)) throw new SpreadError('COULD_NOT_CONNECT', `${daemon} is not there`);
        const session = new EchoSession(() => echoAfterMs);
        sessions.push(session);
        return session;
      },
      probe: { intervalMs: 5_000, timeoutMs: 10_000 },
      onChange: (status) => changes.push(status),
      onRoundTrip: (seconds) => roundTrips.push(seconds),
    });
  });
  afterEach(async () => {
    await monitor.stop();
    vi.useRealTimers();
  });

  it('has an invisible session: no membership, no group, a name that the daemon generates', async () => {
    await monitor.start();
    expect(monitor.status).toMatchObject({
      up: true,
      daemon: '4803@one',
      version: { major: 5, minor: 0, patch: 1 },
    });
    expect(attempts[0]).toMatchObject({ membership: false, privateName: '' });
    sessions[0]!.deliver(regular('whatever'));
    expect(sessions[0]!.toOthers).toEqual([]);
    expect(changes).toHaveLength(1);
  });

  describe('the round trip through the daemon', () => {
    it('is measured immediately and then at every interval, with messages only to itself', async () => {
      await monitor.start();
      await vi.advanceTimersByTimeAsync(3);
      expect(roundTrips).toEqual([0.003]);
      echoAfterMs = 40;
      await vi.advanceTimersByTimeAsync(5_040);
      expect(roundTrips).toEqual([0.003, 0.04]);
      expect(sessions[0]!.toOthers).toEqual([]);
      expect(changes).toHaveLength(1);
    });

    it('that takes too long makes the daemon down, although the connection is open, until a response', async () => {
      await monitor.start();
      await vi.advanceTimersByTimeAsync(1_000);
      echoAfterMs = undefined;
      up.clear();
      await vi.advanceTimersByTimeAsync(4_003 + 9_999);
      expect(monitor.status.up).toBe(true);
      await vi.advanceTimersByTimeAsync(2);
      expect(monitor.status).toMatchObject({
        up: false,
        error: { message: 'the daemon at 4803@one did not return a message of the sidecar within 10000 ms' },
      });
      expect(sessions[0]!.closed).toBe(true);
      echoAfterMs = 3;
      up.add('4803@one');
      await vi.advanceTimersByTimeAsync(1_000);
      expect(monitor.status.up).toBe(true);
      expect(changes.map((change) => change.up)).toEqual([true, false, true]);
    });

    it('accepts only its own last message as the response', async () => {
      echoAfterMs = undefined;
      await monitor.start();
      for (const message of [
        regular('12345678'),
        regular('x', '#r1#test'),
        regular('\x00\x00\x00\x00\x00\x00\x00\x02', '#r1#test'),
      ])
        sessions[0]!.deliver(message);
      expect(roundTrips).toEqual([]);
      sessions[0]!.deliver(regular('\x00\x00\x00\x00\x00\x00\x00\x01', '#r1#test'));
      expect(roundTrips).toEqual([0]);
    });
  });

  it('does nothing when it was stopped before it was started, and starts once', async () => {
    await Promise.all([monitor.start(), monitor.start()]);
    expect(attempts).toHaveLength(1);
    await monitor.stop();
    await monitor.start();
    await monitor.stop();
    expect(attempts).toHaveLength(1);
  });

  it('finds the next daemon of the list', async () => {
    up.delete('4803@one');
    await monitor.start();
    expect(monitor.status).toMatchObject({ up: true, daemon: '4803@two' });
  });

  it('reports down with the reason, and reconnects with growing backoff', async () => {
    up.clear();
    await monitor.start();
    expect(monitor.status).toMatchObject({ up: false, error: { code: 'COULD_NOT_CONNECT' } });
    expect(changes).toHaveLength(1);
    const attemptsAfter = async (ms: number) => {
      attempts.length = 0;
      await vi.advanceTimersByTimeAsync(ms);
      return attempts.length / 2;
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

  it('detects a daemon that stops, and its restart', async () => {
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

  it('reconnects quickly to a daemon that was up for long', async () => {
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

  it('increases the backoff for a daemon that accepts sessions and then closes them', async () => {
    await monitor.start();
    for (let i = 0; i < 100; i++) {
      sessions.at(-1)!.lose();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(sessions.length).toBeLessThan(20);
  });

  it('disconnects when it is stopped, and stays stopped', async () => {
    await monitor.start();
    await monitor.stop();
    expect(sessions[0]!.sent.at(-1)).toBe('goodbye');
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
    expect(attempts).toHaveLength(2);
  });
});
