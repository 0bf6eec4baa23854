import { describe, expect, it, vi } from 'vitest';
import type { ConnectOptions } from '../../../../server/src/mailbox/connection/connect-options.js';
import type { SoftLimitOptions } from '../../../../server/src/mailbox/mailbox-types.js';
import { SILENT } from '../../../../server/src/mailbox/telemetry.js';
import type { SpreadCodeName } from '../../../../server/src/spread/wire/index.js';
import { FakeSession } from '../../../support/mailboxes/fake-session.js';
import { mailboxSettings } from '../../../support/mailboxes/mailbox-settings.js';
import { regular } from '../../../support/mailboxes/plain-events.js';
import {
  ASKED,
  attach,
  connect,
  daemons,
  registryOf,
  rejectsWith,
  resetForEachTest,
  turn,
} from './test-registry.js';

describe('MailboxRegistry', () => {
  resetForEachTest();

  describe('opening', () => {
    it('opens a mailbox with a secret of 128 random bits and with the default limits', async () => {
      const registry = registryOf();
      const first = await connect(registry);
      const second = await connect(registry);
      expect(first.id).toMatch(/^[0-9a-f]{32}$/);
      expect(second.id).not.toBe(first.id);
      expect(first.id).not.toContain(first.displayId);
      expect(registry.get(first.id)).toBe(first);
      expect(first).toMatchObject({ privateGroup: '#me#test', daemon: '4803@127.0.0.1', membership: true });
      expect(first.limits).toEqual({
        leaseMs: 30_000,
        queue: { maxEvents: 1_000_000, maxBytes: 67_108_864, replayBytes: 4_194_304, overflow: 'PAUSE' },
        maxGroupsPerMessage: 43,
        maxMessageBytes: 143_151,
        maxGroups: 1_000,
        maxSendQueueBytes: 4_194_304,
      });
      expect(daemons.sessions.every((session) => session.started)).toBe(true);
    });

    it("passes the client's settings to the session", async () => {
      await connect(registryOf({ connectTimeoutMs: 1_234 }), { membership: false, priority: 1 });
      expect(daemons.options[0]).toMatchObject({
        privateName: 'me',
        membership: false,
        priority: 1,
        timeoutMs: 1_234,
        messageLimits: { maxGroups: 43, maxBody: 143_151 },
        sendHighWaterMark: 256 * 1024,
      });
    });

    it("accepts the client's settings within the ranges", async () => {
      const mailbox = await connect(registryOf(), {
        leaseMs: 1_000,
        acknowledgement: 'EXPLICIT',
        queue: { maxEvents: 1, maxBytes: 1_000_000, replayBytes: 1, overflow: 'DISCONNECT' },
      });
      expect(mailbox.acknowledgement).toBe('EXPLICIT');
      expect(mailbox.limits).toMatchObject({
        leaseMs: 1_000,
        queue: { maxEvents: 1, maxBytes: 1_000_000, replayBytes: 1, overflow: 'DISCONNECT' },
      });
    });

    it('uses the default for 0', async () => {
      const mailbox = await connect(registryOf(), { queue: { maxEvents: 0, maxBytes: 0, replayBytes: 0 } });
      expect(mailbox.limits.queue).toMatchObject({ maxEvents: 1_000_000, replayBytes: 4_194_304 });
    });

    describe('a soft limit', () => {
      const OWN = { fraction: 0.25, timeMs: 30_000 };
      /** The resulting limit, if the operator's time is `timeMs` and the client requests `softLimit`. */
      async function softLimitOf(timeMs: number | undefined, softLimit?: Partial<SoftLimitOptions>) {
        const queue = { ...mailboxSettings().queue, softLimit: { fraction: 0.5, timeMs } };
        return (await connect(registryOf({ queue }), { queue: { softLimit } })).limits.queue.softLimit;
      }

      it('exists only if the operator or the client sets one', async () => {
        expect(await softLimitOf(undefined)).toBeUndefined();
        expect(await softLimitOf(60_000)).toEqual({ fraction: 0.5, timeMs: 60_000 });
        expect(await softLimitOf(undefined, OWN)).toEqual(OWN);
      });

      it('of a client takes missing values from the operator', async () => {
        expect(await softLimitOf(60_000, {})).toEqual({ fraction: 0.5, timeMs: 60_000 });
        expect(await softLimitOf(60_000, { fraction: 0, timeMs: 100 })).toEqual({
          fraction: 0.5,
          timeMs: 100,
        });
        expect(await softLimitOf(undefined, { timeMs: 1000 })).toEqual({ fraction: 0.5, timeMs: 1000 });
      });

      it.each([
        ['above the default', undefined, { fraction: 1, timeMs: 86_400_000 }],
        ["at the operator's", 60_000, { fraction: 0.5, timeMs: 60_000 }],
        ["below the operator's", 60_000, { fraction: 0.01, timeMs: 100 }],
      ])('of a client may be %s', async (_, operators, asked) => {
        expect(await softLimitOf(operators, asked)).toEqual(asked);
      });

      it.each([
        [
          'fraction',
          undefined,
          { ...OWN, fraction: 1.01 },
          'above 0 and at most 1, or 0 for the default 0.5',
        ],
        [
          'fraction',
          undefined,
          { ...OWN, fraction: -0.1 },
          'above 0 and at most 1, or 0 for the default 0.5',
        ],
        [
          'fraction',
          undefined,
          { ...OWN, fraction: Number.NaN },
          'above 0 and at most 1, or 0 for the default 0.5',
        ],
        ['fraction', 60_000, { fraction: 0.51 }, 'above 0 and at most 0.5, or 0 for the default 0.5'],
        ['time', undefined, { timeMs: 99 }, '100 ms to 86400000 ms'],
        ['time', undefined, { timeMs: 86_400_001 }, '100 ms to 86400000 ms'],
        ['time', 60_000, { timeMs: 60_001 }, '100 ms to 60000 ms'],
      ])('of a client is rejected for its %s (%j, %j)', async (name, operators, asked, bound) => {
        await rejectsWith(softLimitOf(operators, asked), {
          reason: 'LIMIT_OUT_OF_RANGE',
          metadata: { field: `queue.soft_limit.${name}`, bound },
        });
        expect(daemons.attempts).toEqual([]);
      });

      it('of a client needs a time if the operator has none', async () => {
        await rejectsWith(softLimitOf(undefined, { fraction: 0.5 }), {
          reason: 'FIELD_REQUIRED',
          metadata: { field: 'queue.soft_limit.time' },
        });
      });
    });

    it.each<[Partial<ConnectOptions>, string, RegExp]>([
      [{ priority: 2 }, 'priority', /0 to 1/],
      [{ priority: -1 }, 'priority', /0 to 1/],
      [{ leaseMs: 999 }, 'lease', /1000 ms to 3600000 ms/],
      [{ leaseMs: 3_600_001 }, 'lease', /1000 ms to 3600000 ms/],
      [{ leaseMs: 0 }, 'lease', /1000 ms/],
      [{ leaseMs: Number.NaN }, 'lease', /1000 ms/],
      [{ queue: { maxEvents: 1_000_001 } }, 'queue.max_events', /1 to 1000000 events/],
      [{ queue: { maxEvents: -1 } }, 'queue.max_events', /1 to 1000000 events/],
      [{ queue: { maxBytes: 67_108_865 } }, 'queue.max_bytes', /1 to 67108864 bytes/],
      [{ queue: { replayBytes: 4_194_305 } }, 'queue.replay_bytes', /1 to 4194304 bytes/],
    ])('rejects %j', async (asked, field, bound) => {
      const refused = expect.objectContaining({
        reason: 'LIMIT_OUT_OF_RANGE',
        message: expect.stringContaining(field),
        metadata: { field, bound: expect.stringMatching(bound) },
      });
      await expect(connect(registryOf(), asked)).rejects.toEqual(refused);
      expect(daemons.attempts).toEqual([]);
    });

    it('rejects unsupported and malformed settings without a connection to a daemon', async () => {
      const registry = registryOf();
      for (const privateName of ['a b', '#a', 'x'.repeat(11)]) {
        await rejectsWith(connect(registry, { privateName }), {
          name: 'SpreadError',
          code: 'REJECT_ILLEGAL_NAME',
        });
      }
      await rejectsWith(connect(registry, { daemon: 'nonsense' }), { code: 'ILLEGAL_SPREAD' });
      await rejectsWith(connect(registry, { daemon: `/${'x'.repeat(300)}` }), {
        code: 'ILLEGAL_SPREAD',
        field: 'daemon',
        bound: '0 to 300 bytes',
      });
      await rejectsWith(connect(registry, { daemon: '4803@elsewhere' }), { reason: 'DAEMON_NOT_ALLOWED' });
      expect(daemons.attempts).toEqual([]);
    });

    it('accepts a daemon of the allow-list', async () => {
      const registry = registryOf({ allowedDaemons: ['4803@elsewhere'] });
      const mailbox = await connect(registry, { daemon: '4803@elsewhere' });
      expect(mailbox.daemon).toBe('4803@elsewhere');
    });

    it('opens none when the call has ended before', async () => {
      const registry = registryOf();
      daemons.answer = () => 'silence';
      const deadline = new AbortController();
      const connecting = registry.connect(ASKED, { signal: deadline.signal });
      await turn();
      deadline.abort();
      await rejectsWith(connecting, { reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'not-sent' } });
      await rejectsWith(registry.connect(ASKED, { signal: AbortSignal.abort() }), {
        reason: 'DEADLINE_EXCEEDED',
      });
      expect(registry.sizes().open).toBe(0);
    });

    it('disconnects from a daemon that accepted too late', async () => {
      const session = new FakeSession();
      let accept: (session: FakeSession) => void = () => {};
      const registry = registryOf(
        {},
        { connectSession: () => new Promise<FakeSession>((resolve) => (accept = resolve)) },
      );
      const deadline = new AbortController();
      const connecting = registry.connect(ASKED, { signal: deadline.signal });
      await turn();
      deadline.abort();
      accept(session);
      await rejectsWith(connecting, { reason: 'DEADLINE_EXCEEDED' });
      expect(session.sent).toEqual(['goodbye']);
      expect(registry.sizes().open).toBe(0);
    });
  });

  describe('a list of default daemons', () => {
    const list = { daemons: ['4803@one', '4803@two', '4803@three'] };

    it.each<SpreadCodeName>(['COULD_NOT_CONNECT', 'CONNECTION_CLOSED', 'ILLEGAL_SPREAD'])(
      'is tried in order while a daemon cannot be reached: %s',
      async (code) => {
        const failed: string[] = [];
        const telemetry = { ...SILENT, connectFailed: (daemon: string) => failed.push(daemon) };
        daemons.answer = (daemon) => (daemon === '4803@three' ? undefined : code);
        const mailbox = await connect(registryOf(list, { telemetry }));
        expect(mailbox.daemon).toBe('4803@three');
        expect(daemons.attempts).toEqual(['4803@one me', '4803@two me', '4803@three me']);
        expect(failed).toEqual(['4803@one', '4803@two']);
      },
    );

    it.each<SpreadCodeName>([
      'REJECT_NOT_UNIQUE',
      'REJECT_QUOTA',
      'REJECT_AUTH',
      'REJECT_VERSION',
      'REJECT_ILLEGAL_NAME',
    ])('does not continue when a daemon responds %s', async (code) => {
      daemons.answer = () => code;
      await rejectsWith(connect(registryOf(list)), { code });
      expect(daemons.attempts).toEqual(['4803@one me']);
    });

    it('fails with the errors of all daemons', async () => {
      daemons.answer = () => 'COULD_NOT_CONNECT';
      await rejectsWith(connect(registryOf(list)), {
        code: 'COULD_NOT_CONNECT',
        message: expect.stringMatching(/none of 3 .*4803@one.*4803@two.*4803@three/),
      });
    });

    it('does not continue when the call has ended', async () => {
      daemons.answer = () => 'silence';
      const deadline = new AbortController();
      const connecting = registryOf(list).connect(ASKED, { signal: deadline.signal });
      await turn();
      deadline.abort();
      await rejectsWith(connecting, { reason: 'DEADLINE_EXCEEDED' });
      expect(daemons.attempts).toEqual(['4803@one me']);
    });

    it('is not used for a client that names a daemon', async () => {
      daemons.answer = () => 'COULD_NOT_CONNECT';
      await rejectsWith(connect(registryOf(list), { daemon: '4803@two' }), { code: 'COULD_NOT_CONNECT' });
      expect(daemons.attempts).toEqual(['4803@two me']);
    });
  });

  describe('a private name in use', () => {
    it('FAIL: fails', async () => {
      daemons.answer = () => 'REJECT_NOT_UNIQUE';
      await rejectsWith(connect(registryOf()), { code: 'REJECT_NOT_UNIQUE' });
      expect(daemons.attempts).toHaveLength(1);
    });

    it('SUFFIX: tries the variants, at the same daemon', async () => {
      daemons.answer = (_daemon, name) => (name === 'me4' ? undefined : 'REJECT_NOT_UNIQUE');
      const mailbox = await connect(registryOf({ daemons: ['4803@one', '4803@two'] }), {
        onNameConflict: 'SUFFIX',
      });
      expect(mailbox.privateGroup).toBe('#me4#test');
      expect(daemons.attempts).toEqual(['4803@one me', '4803@one me2', '4803@one me3', '4803@one me4']);
    });

    it('SUFFIX: fails when all are in use, or after another error', async () => {
      daemons.answer = () => 'REJECT_NOT_UNIQUE';
      await rejectsWith(connect(registryOf(), { onNameConflict: 'SUFFIX' }), { code: 'REJECT_NOT_UNIQUE' });
      expect(daemons.attempts).toHaveLength(99);
      daemons.attempts.length = 0;
      daemons.answer = (_daemon, name) => (name === 'me' ? 'REJECT_NOT_UNIQUE' : 'REJECT_QUOTA');
      await rejectsWith(connect(registryOf(), { onNameConflict: 'SUFFIX' }), { code: 'REJECT_QUOTA' });
      expect(daemons.attempts).toHaveLength(2);
    });
  });

  describe('limits', () => {
    it('accepts as many mailboxes as allowed, including those that are being opened', async () => {
      const registry = registryOf({ maxMailboxes: 2 });
      const first = await connect(registry);
      const second = connect(registry);
      await rejectsWith(connect(registry), {
        reason: 'TOO_MANY_MAILBOXES',
        metadata: { limit: 'mailbox.maxMailboxes', bound: '2' },
      });
      await second;
      await registry.disconnect(first.id);
      await connect(registry);
    });

    it('frees the slot of a failed attempt', async () => {
      const registry = registryOf({ maxMailboxes: 1 });
      daemons.answer = () => 'COULD_NOT_CONNECT';
      await rejectsWith(connect(registry), { code: 'COULD_NOT_CONNECT' });
      daemons.answer = () => undefined;
      await connect(registry);
    });

    it('frees the slot of an ended mailbox only when its receiver got everything', async () => {
      const registry = registryOf({ maxMailboxes: 1 });
      const lost = await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      daemons.sessions[0]!.lose();
      await rejectsWith(connect(registry), { reason: 'TOO_MANY_MAILBOXES' });
      const receiver = attach(lost);
      await turn();
      expect(receiver.end).toMatchObject({ reason: 'CONNECTION_CLOSED' });
      await connect(registry);
      expect(() => registry.get(lost.id)).toThrow(expect.objectContaining({ code: 'ILLEGAL_SESSION' }));
    });

    it('accepts as many of one client as allowed, independent of others', async () => {
      const registry = registryOf({ maxMailboxes: 4, maxMailboxesPerClient: 2 });
      const open = (client: string) => registry.connect(ASKED, { caller: 'tcp', client });
      const tooMany = {
        reason: 'TOO_MANY_MAILBOXES',
        metadata: { limit: 'limits.maxMailboxesPerClient', bound: '2' },
      };
      const first = await open('a');
      const second = open('a');
      await rejectsWith(open('a'), tooMany);
      await second;
      await rejectsWith(open('a'), tooMany);
      await open('b');
      await registry.disconnect(first.id, {}, 'tcp');
      await open('a');
      daemons.answer = () => 'COULD_NOT_CONNECT';
      await rejectsWith(open('b'), { code: 'COULD_NOT_CONNECT' });
      daemons.answer = () => undefined;
      await open('b');
      await rejectsWith(open('c'), { metadata: { limit: 'mailbox.maxMailboxes', bound: '4' } });
    });

    it("frees only a client's own mailboxes", async () => {
      const registry = registryOf({ maxMailboxesPerClient: 1 });
      await registry.connect(ASKED, { client: 'a' });
      const ended = await registry.connect(ASKED, { client: 'b' });
      attach(ended);
      daemons.sessions[1]!.lose();
      await turn();
      await rejectsWith(registry.connect(ASKED, { client: 'a' }), { reason: 'TOO_MANY_MAILBOXES' });
      await registry.connect(ASKED, { client: 'b' });
    });

    it('opens none when the queues of all have reached their limit', async () => {
      const registry = registryOf({ totalQueueBytes: 1_000 });
      await connect(registry);
      const [session] = daemons.sessions;
      session!.deliverChunk(Array.from({ length: 20 }, () => regular('x'.repeat(100))));
      await rejectsWith(connect(registry), {
        reason: 'TOTAL_QUEUE_FULL',
        metadata: { limit: 'mailbox.totalQueueMaxBytes', bound: '1000 bytes' },
      });
    });
  });

  it('distinguishes a disconnected mailbox from one with an expired lease', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const registry = registryOf();
    const mailbox = await connect(registry);
    await registry.disconnect(mailbox.id);
    vi.advanceTimersByTime(60_000);
    expect(() => registry.get(mailbox.id)).toThrow(expect.objectContaining({ code: 'ILLEGAL_SESSION' }));
  });
});
