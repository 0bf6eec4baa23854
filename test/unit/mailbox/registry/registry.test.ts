import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectOptions } from '../../../../server/src/mailbox/connection/connect-options.js';
import type { Mailbox } from '../../../../server/src/mailbox/mailbox.js';
import type { SoftLimitOptions } from '../../../../server/src/mailbox/mailbox-types.js';
import { EVENT_OVERHEAD_BYTES } from '../../../../server/src/mailbox/queue/event-log.js';
import { MailboxRegistry, type RegistryOptions } from '../../../../server/src/mailbox/registry/registry.js';
import type { MailboxSettings } from '../../../../server/src/mailbox/settings.js';
import { SILENT } from '../../../../server/src/mailbox/telemetry.js';
import type { SpreadCodeName } from '../../../../server/src/spread/wire/index.js';
import { FakeDaemons } from '../../../support/mailboxes/fake-daemons.js';
import { FakeSession } from '../../../support/mailboxes/fake-session.js';
import { mailboxSettings } from '../../../support/mailboxes/mailbox-settings.js';
import { plainEncode, regular } from '../../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';
import { until } from '../../../support/until.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

const ASKED: ConnectOptions = {
  daemon: '',
  privateName: 'me',
  onNameConflict: 'FAIL',
  priority: 0,
  membership: true,
  queue: {},
  acknowledgement: 'AUTO',
};

const rejectsWith = (promise: Promise<unknown>, error: object) =>
  expect(promise).rejects.toEqual(expect.objectContaining(error));

describe('MailboxRegistry', () => {
  let daemons: FakeDaemons;
  const registries: MailboxRegistry[] = [];

  function registryOf(
    settings: Partial<MailboxSettings> = {},
    options: Partial<RegistryOptions> = {},
  ): MailboxRegistry {
    const registry = new MailboxRegistry({
      settings: mailboxSettings(settings),
      encode: plainEncode,
      connectSession: daemons.connect,
      ...options,
    });
    registries.push(registry);
    return registry;
  }

  const connect = (registry: MailboxRegistry, asked: Partial<ConnectOptions> = {}): Promise<Mailbox> =>
    registry.connect({ ...ASKED, ...asked });

  function attach(mailbox: Mailbox, willing = true): RecordingReceiver {
    const receiver = new RecordingReceiver(willing);
    receiver.attachment = mailbox.attach({}, receiver);
    return receiver;
  }

  beforeEach(() => {
    daemons = new FakeDaemons();
  });
  afterEach(async () => {
    vi.useRealTimers();
    for (const registry of registries.splice(0)) await registry.drain({ graceMs: 0 });
  });

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

    it('hands the session what the client asked for', async () => {
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

    it('takes what the client asks for within the bounds', async () => {
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

    it('takes 0 as the default', async () => {
      const mailbox = await connect(registryOf(), { queue: { maxEvents: 0, maxBytes: 0, replayBytes: 0 } });
      expect(mailbox.limits.queue).toMatchObject({ maxEvents: 1_000_000, replayBytes: 4_194_304 });
    });

    describe('a soft limit', () => {
      const OWN = { fraction: 0.25, timeMs: 30_000 };
      /** What holds, where the operator's time is `timeMs` and the client asks for `softLimit`. */
      async function softLimitOf(timeMs: number | undefined, softLimit?: Partial<SoftLimitOptions>) {
        const queue = { ...mailboxSettings().queue, softLimit: { fraction: 0.5, timeMs } };
        return (await connect(registryOf({ queue }), { queue: { softLimit } })).limits.queue.softLimit;
      }

      it('is there only if the operator or the client wants one', async () => {
        expect(await softLimitOf(undefined)).toBeUndefined();
        expect(await softLimitOf(60_000)).toEqual({ fraction: 0.5, timeMs: 60_000 });
        expect(await softLimitOf(undefined, OWN)).toEqual(OWN);
      });

      it('of a client takes from the operator what it does not say', async () => {
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
        ['fraction', undefined, { ...OWN, fraction: 1.01 }, 'above 0, at most 1, or 0 for 0.5'],
        ['fraction', undefined, { ...OWN, fraction: -0.1 }, 'above 0, at most 1, or 0 for 0.5'],
        ['fraction', undefined, { ...OWN, fraction: Number.NaN }, 'above 0, at most 1, or 0 for 0.5'],
        ['fraction', 60_000, { fraction: 0.51 }, 'above 0, at most 0.5, or 0 for 0.5'],
        ['time', undefined, { timeMs: 99 }, '100 ms to 86400000 ms'],
        ['time', undefined, { timeMs: 86_400_001 }, '100 ms to 86400000 ms'],
        ['time', 60_000, { timeMs: 60_001 }, '100 ms to 60000 ms'],
      ])('of a client is refused for its %s (%j, %j)', async (name, operators, asked, bound) => {
        await rejectsWith(softLimitOf(operators, asked), {
          reason: 'LIMIT_OUT_OF_RANGE',
          metadata: { field: `queue.soft_limit.${name}`, bound },
        });
        expect(daemons.attempts).toEqual([]);
      });

      it('of a client needs a time where the operator has none', async () => {
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
    ])('refuses %j', async (asked, field, bound) => {
      const refused = expect.objectContaining({
        reason: 'LIMIT_OUT_OF_RANGE',
        message: expect.stringContaining(field),
        metadata: { field, bound: expect.stringMatching(bound) },
      });
      await expect(connect(registryOf(), asked)).rejects.toEqual(refused);
      expect(daemons.attempts).toEqual([]);
    });

    it('refuses what it does not offer, and what is malformed, without asking a daemon', async () => {
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

    it('takes a daemon of the allow-list', async () => {
      const registry = registryOf({ allowedDaemons: ['4803@elsewhere'] });
      const mailbox = await connect(registry, { daemon: '4803@elsewhere' });
      expect(mailbox.daemon).toBe('4803@elsewhere');
    });

    it('opens none when the call is over before it could', async () => {
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

    it('says goodbye to a daemon that accepted too late', async () => {
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
    ])('is not tried on when a daemon answers %s', async (code) => {
      daemons.answer = () => code;
      await rejectsWith(connect(registryOf(list)), { code });
      expect(daemons.attempts).toEqual(['4803@one me']);
    });

    it('fails with what every one of them said', async () => {
      daemons.answer = () => 'COULD_NOT_CONNECT';
      await rejectsWith(connect(registryOf(list)), {
        code: 'COULD_NOT_CONNECT',
        message: expect.stringMatching(/none of 3 .*4803@one.*4803@two.*4803@three/),
      });
    });

    it('is not tried on when the call is over', async () => {
      daemons.answer = () => 'silence';
      const deadline = new AbortController();
      const connecting = registryOf(list).connect(ASKED, { signal: deadline.signal });
      await turn();
      deadline.abort();
      await rejectsWith(connecting, { reason: 'DEADLINE_EXCEEDED' });
      expect(daemons.attempts).toEqual(['4803@one me']);
    });

    it('is no list for a client that names a daemon', async () => {
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

    it('SUFFIX: fails when all are in use, or at another answer', async () => {
      daemons.answer = () => 'REJECT_NOT_UNIQUE';
      await rejectsWith(connect(registryOf(), { onNameConflict: 'SUFFIX' }), { code: 'REJECT_NOT_UNIQUE' });
      expect(daemons.attempts).toHaveLength(99);
      daemons.attempts.length = 0;
      daemons.answer = (_daemon, name) => (name === 'me' ? 'REJECT_NOT_UNIQUE' : 'REJECT_QUOTA');
      await rejectsWith(connect(registryOf(), { onNameConflict: 'SUFFIX' }), { code: 'REJECT_QUOTA' });
      expect(daemons.attempts).toHaveLength(2);
    });
  });

  describe('bounds', () => {
    it('has as many mailboxes as it may, those that are being opened included', async () => {
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

    it('gives back the place of an attempt that failed', async () => {
      const registry = registryOf({ maxMailboxes: 1 });
      daemons.answer = () => 'COULD_NOT_CONNECT';
      await rejectsWith(connect(registry), { code: 'COULD_NOT_CONNECT' });
      daemons.answer = () => undefined;
      await connect(registry);
    });

    it('gives the place of an ended mailbox away only when its receiver was told everything', async () => {
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

    it('has as many of one client as it may, whoever else has some', async () => {
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

    it("makes room among a client's own mailboxes only", async () => {
      const registry = registryOf({ maxMailboxesPerClient: 1 });
      await registry.connect(ASKED, { client: 'a' });
      const ended = await registry.connect(ASKED, { client: 'b' });
      attach(ended);
      daemons.sessions[1]!.lose();
      await turn();
      await rejectsWith(registry.connect(ASKED, { client: 'a' }), { reason: 'TOO_MANY_MAILBOXES' });
      await registry.connect(ASKED, { client: 'b' });
    });

    it('opens none when the queues of all have reached their bound', async () => {
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

  describe('finding', () => {
    it.each(['', 'x', '0'.repeat(32), '__proto__', 'm1'])('does not find %j', (id) => {
      const find = () => registryOf().get(id);
      expect(find).toThrow(expect.objectContaining({ name: 'SpreadError', code: 'ILLEGAL_SESSION' }));
    });

    it('counts as a use of the mailbox', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const mailbox = await connect(registry);
      for (let i = 0; i < 5; i++) {
        vi.advanceTimersByTime(20_000);
        expect(registry.get(mailbox.id)).toBe(mailbox);
      }
    });

    it('tells who comes too late that the lease has ended, and the last sequence', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const mailbox = await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      vi.advanceTimersByTime(30_000);
      expect(() => registry.get(mailbox.id)).toThrow(
        expect.objectContaining({ reason: 'LEASE_EXPIRED', metadata: { last_sequence: '1' } }),
      );
      await turn();
      expect(daemons.sessions[0]!.sent).toEqual(['goodbye']);
      expect(registry.sizes()).toMatchObject({ open: 0, ended: 0, retainedBytes: 0 });
      expect(await registry.disconnect(mailbox.id)).toBe(false);
    });

    it('remembers a bounded number of those', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf({ maxMailboxes: 5_000 });
      const mailboxes: Mailbox[] = [];
      for (let i = 0; i < 1_001; i++) mailboxes.push(await connect(registry));
      vi.advanceTimersByTime(30_000);
      const codeOf = (mailbox: Mailbox) => {
        try {
          return registry.get(mailbox.id);
        } catch (error) {
          return (error as { reason?: string; code?: string }).reason ?? (error as { code: string }).code;
        }
      };
      expect(codeOf(mailboxes[0]!)).toBe('ILLEGAL_SESSION');
      expect(codeOf(mailboxes[1]!)).toBe('LEASE_EXPIRED');
      expect(codeOf(mailboxes[1_000]!)).toBe('LEASE_EXPIRED');
    });

    it('keeps the events of a lost daemon until the lease ends', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const mailbox = await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      daemons.sessions[0]!.lose();
      vi.advanceTimersByTime(29_000);
      expect(registry.get(mailbox.id).poll()).toMatchObject({ state: 'ENDED', waitingEvents: 1 });
      vi.advanceTimersByTime(30_000);
      expect(() => registry.get(mailbox.id)).toThrow(expect.objectContaining({ reason: 'LEASE_EXPIRED' }));
      expect(registry.sizes().retainedBytes).toBe(0);
    });
  });

  describe('a mailbox that was ended for a receiver that stalled', () => {
    const stalled = async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const queue = { maxEvents: 10, softLimit: { fraction: 0.5, timeMs: 1000 } };
      const mailbox = await connect(registry, { queue });
      const receiver = attach(mailbox, false);
      daemons.sessions[0]!.deliverChunk(Array.from({ length: 10 }, () => regular('a')));
      vi.advanceTimersByTime(1000);
      return { registry, mailbox, receiver };
    };

    it('gives its memory back when its lease is over, though the receiver is still there', async () => {
      const { registry, mailbox, receiver } = await stalled();
      expect(registry.sizes()).toMatchObject({ open: 0, ended: 1, receivers: 1 });
      vi.advanceTimersByTime(29_999);
      // That the client asks for it is no taking.
      expect(registry.get(mailbox.id).state).toBe('ENDED');
      expect(registry.sizes().retainedBytes).toBeGreaterThan(0);
      vi.advanceTimersByTime(1);
      await turn();
      expect(receiver.end).toMatchObject({ reason: 'SLOW_CONSUMER', lastSequence: 10 });
      expect(registry.sizes()).toMatchObject({ ended: 0, receivers: 0, retainedBytes: 0 });
      expect(() => registry.get(mailbox.id)).toThrow(
        expect.objectContaining({ reason: 'LEASE_EXPIRED', metadata: { last_sequence: '10' } }),
      );
    });

    it('is emptied by a receiver that wakes in time', async () => {
      const { registry, receiver } = await stalled();
      vi.advanceTimersByTime(29_999);
      receiver.takeAll();
      await turn();
      expect(receiver.sequences).toHaveLength(10);
      expect(receiver.end).toMatchObject({ reason: 'SLOW_CONSUMER', lastSequence: 10 });
      vi.advanceTimersByTime(30_000);
      expect(registry.sizes()).toMatchObject({ ended: 0, retainedBytes: 0 });
    });
  });

  describe('a mailbox whose receiver stalls when the mailbox ends', () => {
    const ENDS: [how: string, end: (registry: MailboxRegistry, mailbox: Mailbox) => unknown][] = [
      ['Disconnect', (registry, { id }) => registry.disconnect(id)],
      [
        'Disconnect with leave_groups_first',
        (registry, { id }) => registry.disconnect(id, { leaveGroupsFirst: true }),
      ],
      ['Disconnect with abort', (registry, { id }) => registry.disconnect(id, { abort: true })],
      ['the loss of the daemon', () => daemons.sessions[0]!.lose()],
      [
        'the loss of the daemon, and Disconnect',
        (registry, { id }) => {
          daemons.sessions[0]!.lose();
          return registry.disconnect(id);
        },
      ],
      [
        'a full queue',
        () => daemons.sessions[0]!.deliverChunk(Array.from({ length: 20 }, () => regular('a'))),
      ],
    ];

    const stalled = async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf({ maxMailboxes: 1 });
      const mailbox = await connect(registry, { queue: { maxEvents: 10, overflow: 'DISCONNECT' } });
      const receiver = attach(mailbox, false);
      daemons.sessions[0]!.deliver(regular('a'));
      return { registry, mailbox, receiver };
    };

    it.each(ENDS)(
      'by %s keeps its slot and its bytes for one lease, then loses the receiver',
      async (_, end) => {
        const { registry, mailbox, receiver } = await stalled();
        await end(registry, mailbox);
        await turn();
        vi.advanceTimersByTime(29_999);
        await turn();
        expect(receiver.ends).toEqual([]);
        expect(registry.size).toBe(1);
        expect(registry.sizes().retainedBytes).toBeGreaterThan(0);
        expect([...registry.statuses()]).toHaveLength(1);
        vi.advanceTimersByTime(1);
        await turn();
        expect(receiver.ends).toHaveLength(1);
        expect(receiver.end?.reason).not.toBe('DISCONNECTED');
        expect(registry.size).toBe(0);
        expect(registry.sizes()).toMatchObject({ ended: 0, leaving: 0, receivers: 0, retainedBytes: 0 });
        expect([...registry.statuses()]).toEqual([]);
      },
    );

    it.each(ENDS)('by %s waits on as long as the receiver takes something', async (_, end) => {
      const { registry, mailbox, receiver } = await stalled();
      daemons.sessions[0]!.deliver(regular('b'));
      receiver.attachment!.inTransit(100);
      await end(registry, mailbox);
      await turn();
      vi.advanceTimersByTime(29_999);
      receiver.attachment!.inTransit(-100);
      vi.advanceTimersByTime(29_999);
      receiver.takeAll();
      await turn();
      expect(receiver.sequences.slice(0, 2)).toEqual([1, 2]);
      expect(receiver.ends).toMatchObject([{ lastSequence: receiver.sequences.length }]);
      vi.advanceTimersByTime(60_000);
      await turn();
      expect(registry.sizes().retainedBytes).toBe(0);
    });

    it('gives up what a transport still holds after one lease, and keeps the slot until that is gone', async () => {
      const { registry, mailbox, receiver } = await stalled();
      receiver.takeAll();
      receiver.attachment!.inTransit(100);
      await registry.disconnect(mailbox.id);
      await turn();
      expect(receiver.ends).toMatchObject([{ reason: 'DISCONNECTED' }]);
      expect(registry.sizes()).toMatchObject({ leaving: 1, receivers: 0, retainedBytes: 100 });
      vi.advanceTimersByTime(29_999);
      expect(receiver.abandons).toBe(0);
      vi.advanceTimersByTime(1);
      expect(receiver.abandons).toBe(1);
      expect(registry.size).toBe(1);
      receiver.attachment!.inTransit(-100);
      await turn();
      expect(registry.size).toBe(0);
    });

    it('gives up the transport of a receiver that was replaced when the next one is replaced too', async () => {
      const { mailbox, receiver: first } = await stalled();
      const second = new RecordingReceiver(false);
      first.attachment!.inTransit(100);
      second.attachment = mailbox.attach({}, second);
      second.attachment.inTransit(100);
      expect(first).toMatchObject({ ends: [{ reason: 'RECEIVER_REPLACED' }], abandons: 0 });
      attach(mailbox);
      expect([first.abandons, second.abandons]).toEqual([1, 0]);
    });

    it('holds up a Connect that needs its slot for a second at most', async () => {
      const { registry, mailbox, receiver } = await stalled();
      await registry.disconnect(mailbox.id);
      const refused = rejectsWith(connect(registry), { reason: 'TOO_MANY_MAILBOXES' });
      await turn();
      vi.advanceTimersByTime(1000);
      await refused;
      const waiting = connect(registry);
      await turn();
      receiver.takeAll();
      await waiting;
      expect(registry.sizes()).toMatchObject({ open: 1, leaving: 0 });
    });
  });

  it('does not mistake a mailbox that was disconnected for one whose lease ended', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const registry = registryOf();
    const mailbox = await connect(registry);
    await registry.disconnect(mailbox.id);
    vi.advanceTimersByTime(60_000);
    expect(() => registry.get(mailbox.id)).toThrow(expect.objectContaining({ code: 'ILLEGAL_SESSION' }));
  });

  describe('listing', () => {
    it('gives pages in the order of opening, stable while mailboxes come and go', async () => {
      const registry = registryOf();
      const mailboxes: Mailbox[] = [];
      for (let i = 0; i < 5; i++) mailboxes.push(await connect(registry, { privateName: `n${i}` }));
      const page = (pageToken: string) => {
        const { mailboxes: found, nextPageToken } = registry.list({ pageSize: 2, pageToken });
        return { names: found.map((mailbox) => mailbox.privateGroup), nextPageToken };
      };
      const first = page('');
      expect(first.names).toEqual(['#n0#test', '#n1#test']);
      await registry.disconnect(mailboxes[1]!.id);
      await registry.disconnect(mailboxes[2]!.id);
      await connect(registry, { privateName: 'n5' });
      const second = page(first.nextPageToken);
      expect(second.names).toEqual(['#n3#test', '#n4#test']);
      const third = page(second.nextPageToken);
      expect(third).toEqual({ names: ['#n5#test'], nextPageToken: '' });
    });

    it('has no next page when a page is exactly full', async () => {
      const registry = registryOf();
      await connect(registry);
      await connect(registry);
      expect(registry.list({ pageSize: 2, pageToken: '' })).toMatchObject({ nextPageToken: '' });
    });

    it('shows no id and renews no lease', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      const mailbox = await connect(registry);
      vi.advanceTimersByTime(20_000);
      const { mailboxes } = registry.list({ pageSize: 0, pageToken: '' });
      expect(mailboxes).toHaveLength(1);
      expect(JSON.stringify(mailboxes)).not.toContain(mailbox.id);
      vi.advanceTimersByTime(10_000);
      expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toEqual([]);
    });

    it.each([-1, 1_001, 1.5])('refuses a page of %d', (pageSize) => {
      expect(() => registryOf().list({ pageSize, pageToken: '' })).toThrow(
        expect.objectContaining({
          reason: 'LIMIT_OUT_OF_RANGE',
          metadata: { field: 'page_size', bound: expect.stringContaining('1 to 1000') },
        }),
      );
    });

    it.each(['1', 'x', 'm', 'm1x', 'm99999999999999999999'])('refuses the token %j', (pageToken) => {
      expect(() => registryOf().list({ pageSize: 1, pageToken })).toThrow(
        expect.objectContaining({
          reason: 'FIELD_INVALID',
          metadata: expect.objectContaining({ field: 'page_token' }),
        }),
      );
    });
  });

  describe('disconnecting', () => {
    it('tells whether this call ended it; twice is no error', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      const [first, second] = await Promise.all([
        registry.disconnect(mailbox.id),
        registry.disconnect(mailbox.id),
      ]);
      expect([first, second, await registry.disconnect('nobody')]).toEqual([true, false, false]);
      expect(daemons.sessions[0]!.closed).toBe(true);
      expect(() => registry.get(mailbox.id)).toThrow(expect.objectContaining({ code: 'ILLEGAL_SESSION' }));
    });

    it('of a mailbox that had ended frees it, but has not ended it', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      daemons.sessions[0]!.lose();
      expect(registry.sizes()).toMatchObject({ open: 0, ended: 1 });
      expect(await registry.disconnect(mailbox.id)).toBe(false);
      expect(registry.sizes()).toMatchObject({ ended: 0, retainedBytes: 0 });
    });

    it('refuses to leave groups without a goodbye', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      await rejectsWith(registry.disconnect(mailbox.id, { leaveGroupsFirst: true, abort: true }), {
        reason: 'FIELD_INVALID',
        metadata: { field: 'leave_groups_first', bound: expect.any(String) },
      });
      expect(registry.get(mailbox.id)).toBe(mailbox);
    });
  });

  describe('draining', () => {
    it('gives receivers what is queued, tells them, says goodbye to every daemon', async () => {
      const registry = registryOf();
      const receiver = attach(await connect(registry), false);
      await connect(registry);
      daemons.sessions[0]!.deliver(regular('a'));
      const drained = vi.fn();
      const draining = registry.drain({ graceMs: 10_000 }).then(drained);
      await turn();
      expect(drained).not.toHaveBeenCalled();
      expect(daemons.sessions[1]!.sent).toEqual(['goodbye']);
      receiver.takeAll();
      await draining;
      expect(receiver).toMatchObject({ sequences: [1], ends: [{ reason: 'DRAINING', lastSequence: 1 }] });
      expect(daemons.sessions[0]!.sent).toEqual(['goodbye']);
      expect(registry.sizes()).toMatchObject({ open: 0, ended: 0, retainedBytes: 0 });
    });

    it('does not wait longer than the grace', async () => {
      const registry = registryOf();
      const receiver = attach(await connect(registry), false);
      daemons.sessions[0]!.deliver(regular('a'));
      await registry.drain({ graceMs: 20 });
      expect(receiver).toMatchObject({ events: [], ends: [{ reason: 'DRAINING', lastSequence: 1 }] });
    });

    it('does not wait longer than the grace for receivers that come during the drain', async () => {
      const registry = registryOf();
      const unattended = await connect(registry);
      const slow = attach(await connect(registry), false);
      for (const session of daemons.sessions) session.deliver(regular('a'));
      const draining = registry.drain({ graceMs: 200 });
      await turn();
      expect(daemons.sessions[0]!.sent).toEqual(['goodbye']);
      const late = attach(registry.get(unattended.id), false);
      // The receiver that the drain has waited for so far.
      slow.takeAll();
      await draining;
      expect(late).toMatchObject({ events: [], ends: [{ reason: 'DRAINING', lastSequence: 1 }] });
    });

    it('ends a receiver at once that comes after the grace', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      const slow = attach(mailbox, false);
      daemons.sessions[0]!.deliver(regular('a'));
      // The goodbye takes long.
      daemons.sessions[0]!.silent = true;
      const draining = registry.drain({ graceMs: 20 });
      await until(() => slow.end !== undefined, { what: 'the grace is over' });
      const late = attach(registry.get(mailbox.id));
      await turn();
      expect(late).toMatchObject({ events: [], ends: [{ reason: 'DRAINING' }] });
      daemons.sessions[0]!.abort();
      await draining;
    });

    it('keeps no mailbox that a daemon accepts in the turn in which the drain begins', async () => {
      for (let microtasks = 0; microtasks < 20; microtasks++) {
        const registry = registryOf();
        let draining: Promise<void> | undefined;
        daemons.onSession = async () => {
          for (let i = 0; i < microtasks; i++) await undefined;
          draining = registry.drain({ graceMs: 0 });
        };
        await connect(registry).catch((error) => expect(error).toMatchObject({ reason: 'DRAINING' }));
        await turn();
        await draining;
        expect(registry.size).toBe(0);
        expect(daemons.sessions.every((session) => session.closed)).toBe(true);
      }
    });

    it('does not wait longer than the grace for the receiver of a mailbox that was disconnected', async () => {
      const registry = registryOf();
      const mailbox = await connect(registry);
      const receiver = attach(mailbox, false);
      daemons.sessions[0]!.deliver(regular('a'));
      await registry.disconnect(mailbox.id);
      await registry.drain({ graceMs: 20 });
      expect(receiver.ends).toMatchObject([{ reason: 'DRAINING' }]);
    });

    it('opens no mailbox any more, and gives up attempts under way', async () => {
      const registry = registryOf();
      daemons.answer = () => 'silence';
      const connecting = rejectsWith(connect(registry), { reason: 'DRAINING' });
      await turn();
      await registry.drain({ graceMs: 0 });
      await connecting;
      await rejectsWith(connect(registry), { reason: 'DRAINING' });
    });

    it('leaves no timer behind', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const registry = registryOf();
      await connect(registry);
      await registry.drain({ graceMs: 10_000 });
      expect(vi.getTimerCount()).toBe(0);
    });

    it('copes with very many mailboxes', async () => {
      const warned = vi.fn();
      process.on('warning', warned);
      const registry = registryOf();
      for (let i = 0; i < 300; i++) attach(await connect(registry), false);
      await registry.drain({ graceMs: 5 });
      await turn();
      process.off('warning', warned);
      expect(warned).not.toHaveBeenCalled();
      expect(daemons.sessions.every((session) => session.closed)).toBe(true);
    });
  });

  describe('figures', () => {
    it('are the sums over all mailboxes, and totals also over those that are gone', async () => {
      const registry = registryOf();
      const one = await connect(registry);
      const two = await connect(registry);
      attach(one);
      daemons.sessions[0]!.deliver(regular('a'));
      daemons.sessions[1]!.deliver(regular('b'));
      daemons.sessions[1]!.deliver(regular('c'));
      await one.multicast({
        serviceType: 'FIFO',
        selfDiscard: false,
        groups: ['room'],
        messageType: 0,
        payload: Buffer.from('hello'),
      });
      expect(registry.sizes()).toMatchObject({
        open: 2,
        ended: 0,
        receivers: 1,
        paused: 0,
        waitingEvents: 2,
        waitingBytes: two.poll().waitingBytes,
        // Three events are kept.
        retainedBytes: one.snapshot().retainedBytes + two.snapshot().retainedBytes + 3 * EVENT_OVERHEAD_BYTES,
        sendQueueBytes: 0,
      });
      const before = registry.totals();
      expect(before).toMatchObject({ eventsGiven: 1, messagesSent: 1, payloadBytesSent: 5 });
      expect(before.received.regular).toBe(3);
      await registry.disconnect(one.id);
      await registry.disconnect(two.id);
      await until(() => registry.sizes().retainedBytes === 0);
      expect(registry.totals()).toEqual(before);
    });

    it('tell what happened to whom, without the secret', async () => {
      const told: string[] = [];
      const registry = registryOf(
        {},
        {
          telemetry: {
            ...SILENT,
            opened: (mailbox) => told.push(`opened ${mailbox.displayId} ${mailbox.privateGroup}`),
            ended: (mailbox, reason) => told.push(`ended ${mailbox.displayId} ${reason}`),
          },
        },
      );
      const mailbox = await connect(registry);
      await registry.disconnect(mailbox.id);
      expect(told).toEqual(['opened m1 #me#test', 'ended m1 DISCONNECTED']);
    });
  });
});
