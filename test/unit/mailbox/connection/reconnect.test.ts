import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectOptions } from '../../../../server/src/mailbox/connection/connect-options.js';
import type { ReconnectOptions } from '../../../../server/src/mailbox/connection/reconnect-options.js';
import type { Mailbox } from '../../../../server/src/mailbox/mailbox.js';
import { MailboxRegistry } from '../../../../server/src/mailbox/registry/registry.js';
import type { MailboxSettings } from '../../../../server/src/mailbox/settings.js';
import { SILENT } from '../../../../server/src/mailbox/telemetry.js';
import { SpreadError } from '../../../../server/src/spread/spread-error.js';
import { FakeDaemons } from '../../../support/mailboxes/fake-daemons.js';
import type { FakeSession } from '../../../support/mailboxes/fake-session.js';
import { attachReceiver, outgoing } from '../../../support/mailboxes/mailbox-bench.js';
import { mailboxSettings } from '../../../support/mailboxes/mailbox-settings.js';
import { plainEncode, regular, selfLeave, view } from '../../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';

const A = '4803@a';
const B = '4803@b';
const ME = '#me#test';
/** Pauses without jitter: 100, 200, 400, 800, 1000, 1000 ms … */
const RECONNECT = {
  backoff: { initialMs: 100, maxMs: 1000, random: () => 1 },
  giveUp: { defaultMs: 60_000, minMs: 100, maxMs: 3_600_000 },
  nameWaitMs: 5_000,
};

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const like = (error: object) => expect.objectContaining(error);
/** What needs no time but some turns. */
async function done<T>(promise: Promise<T>): Promise<T> {
  await pass(0);
  return await promise;
}
/** What became of a promise until now. */
function fate(promise: Promise<unknown>): { value?: unknown; error?: unknown; settled: boolean } {
  const seen: { value?: unknown; error?: unknown; settled: boolean } = { settled: false };
  promise.then(
    (value) => Object.assign(seen, { value, settled: true }),
    (error) => Object.assign(seen, { error, settled: true }),
  );
  return seen;
}

describe('a mailbox that reconnects', () => {
  let daemons: FakeDaemons;
  let registry: MailboxRegistry;
  const told: string[] = [];
  const ended: string[] = [];

  async function open(
    policy: Partial<ReconnectOptions> = {},
    asked: Partial<ConnectOptions> = {},
    settings: Partial<MailboxSettings> = {},
  ): Promise<Mailbox> {
    registry = new MailboxRegistry({
      settings: mailboxSettings({ daemons: [A], reconnect: RECONNECT, ...settings }),
      encode: plainEncode,
      connectSession: daemons.connect,
      telemetry: {
        ...SILENT,
        ended: (_, reason, message) => ended.push(`${reason}: ${message}`),
        reconnecting: ({ privateGroup }) => told.push(`reconnecting ${privateGroup}`),
        reconnectFailed: (_, daemon, error) => told.push(`failed ${daemon} ${(error as SpreadError).code}`),
        reconnected: (mailbox, previous, seconds) =>
          told.push(`reconnected ${previous} ${mailbox.privateGroup} ${mailbox.daemon} ${seconds}`),
        reconnectGivenUp: () => told.push('given up'),
      },
    });
    return await registry.connect({
      daemon: '',
      privateName: 'me',
      onNameConflict: 'FAIL',
      priority: 0,
      membership: true,
      reconnect: { onNameLoss: 'END', queueMulticasts: false, ...policy },
      queue: {},
      acknowledgement: 'AUTO',
      ...asked,
    });
  }

  const session = (): FakeSession => daemons.sessions.at(-1)!;
  /** Nobody lets anybody in, until allow(). */
  const refuse = (code: 'COULD_NOT_CONNECT' | 'REJECT_NOT_UNIQUE' = 'COULD_NOT_CONNECT') => {
    daemons.answer = () => code;
  };
  const allow = () => {
    daemons.answer = () => undefined;
  };
  const attemptsSinceOpening = () => daemons.attempts.slice(1);

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance', 'Date'],
    });
    daemons = new FakeDaemons();
    told.length = 0;
    ended.length = 0;
  });
  afterEach(async () => {
    const drained = registry.drain({ graceMs: 0 });
    await pass(5_000);
    await drained;
    vi.useRealTimers();
  });

  describe('attempts', () => {
    it('none is made unless the client asked for it: the mailbox ends', async () => {
      const mailbox = await open({}, { reconnect: undefined });
      session().lose();
      await pass(10_000);
      expect(attemptsSinceOpening()).toEqual([]);
      expect(mailbox.state).toBe('ENDED');
    });

    it('come with pauses that double up to the bound', async () => {
      await open();
      refuse();
      session().lose();
      const times: number[] = [];
      const lostAt = performance.now();
      let seen = 1;
      for (let ms = 0; ms < 4_600; ms += 10) {
        await pass(10);
        if (daemons.attempts.length > seen) times.push(performance.now() - lostAt);
        seen = daemons.attempts.length;
      }
      expect(times).toEqual([100, 300, 700, 1500, 2500, 3500, 4500]);
    });

    it('have jitter', async () => {
      const backoff = { ...RECONNECT.backoff, random: () => 0 };
      await open({}, {}, { reconnect: { ...RECONNECT, backoff } });
      session().lose();
      await pass(49);
      expect(attemptsSinceOpening()).toEqual([]);
      await pass(1);
      expect(attemptsSinceOpening()).toEqual([`${A} me`]);
    });

    it('go to the daemon that was lost first and then to the others, in a round', async () => {
      daemons.nameOf = (daemon) => (daemon === A ? 'a' : 'b');
      daemons.answer = (daemon) => (daemon === A ? 'COULD_NOT_CONNECT' : undefined);
      const mailbox = await open({}, {}, { daemons: [A, B] });
      expect(mailbox.daemon).toBe(B);
      refuse();
      session().lose();
      await pass(100);
      expect(daemons.attempts.slice(2)).toEqual([`${B} me`, `${A} me`]);
      daemons.answer = (daemon) => (daemon === B ? 'COULD_NOT_CONNECT' : undefined);
      await pass(200);
      expect(mailbox).toMatchObject({ daemon: A, privateGroup: '#me#a', state: 'OPEN' });
      expect(mailbox.snapshot()).toMatchObject({ daemon: A, privateGroup: '#me#a' });
    });

    it('stay at the daemon that the client named', async () => {
      await open({}, { daemon: B }, { daemons: [A], allowedDaemons: [B] });
      refuse();
      session().lose();
      await pass(1_000);
      expect(new Set(daemons.attempts)).toEqual(new Set([`${B} me`]));
    });

    it('ask for what the first session had', async () => {
      await open({ giveUpAfterMs: 2_000 }, { membership: false, priority: 1 });
      refuse();
      session().lose();
      await pass(1_600);
      const [first, ...later] = daemons.options.map(({ signal: _, timeoutMs: __, ...rest }) => rest);
      for (const options of later) expect(options).toEqual(first);
      // What is left of the time bounds an attempt too.
      expect(daemons.options.map(({ timeoutMs }) => timeoutMs)).toEqual([5_000, 1_900, 1_700, 1_300, 500]);
    });

    it('begin with short pauses again, unless the connection did not last', async () => {
      await open();
      refuse();
      session().lose();
      await pass(1_499);
      allow();
      await pass(1);
      expect(daemons.sessions).toHaveLength(2);
      session().lose();
      await pass(999);
      expect(daemons.sessions).toHaveLength(2);
      await pass(1);
      expect(daemons.sessions).toHaveLength(3);
      await pass(1_000);
      session().lose();
      await pass(100);
      expect(daemons.sessions).toHaveLength(4);
    });

    it('are told', async () => {
      await open();
      refuse();
      session().lose();
      await pass(100);
      allow();
      await pass(200);
      expect(told).toEqual([
        `reconnecting ${ME}`,
        `failed ${A} COULD_NOT_CONNECT`,
        `reconnected ${ME} ${ME} ${A} 0.3`,
      ]);
    });
  });

  describe('giving up', () => {
    it.each([
      ['what the client says', 2_000, 2_000],
      ['the default', undefined, 60_000],
    ])('comes after %s, and ends the mailbox as a lost connection', async (_, giveUpAfterMs, ms) => {
      const mailbox = await open({ giveUpAfterMs });
      const receiver = attachReceiver(mailbox);
      refuse();
      session().lose();
      await pass(ms - 1);
      expect(mailbox.state).toBe('RECONNECTING');
      expect(mailbox.poll().state).toBe('RECONNECTING');
      await pass(1);
      expect(mailbox.state).toBe('ENDED');
      await pass(10);
      expect(receiver.end).toMatchObject({
        reason: 'CONNECTION_CLOSED',
        spreadCode: 'CONNECTION_CLOSED',
        lastSequence: 1,
        message: expect.stringContaining(`${A} says COULD_NOT_CONNECT`),
      });
      expect(told.at(-1)).toBe('given up');
      const before = daemons.attempts.length;
      await pass(10_000);
      expect(daemons.attempts).toHaveLength(before);
    });

    it('also when a daemon says nothing', async () => {
      const mailbox = await open({ giveUpAfterMs: 2_000 });
      daemons.answer = () => 'silence';
      session().lose();
      await pass(2_000);
      expect(mailbox.state).toBe('ENDED');
    });

    it.each([99, 3_600_001])('after %i ms is refused', async (giveUpAfterMs) => {
      await expect(open({ giveUpAfterMs })).rejects.toMatchObject({
        reason: 'LIMIT_OUT_OF_RANGE',
        metadata: { field: 'reconnect.give_up_after', bound: '100 ms to 3600000 ms' },
      });
      expect(daemons.attempts).toEqual([]);
    });

    it.each([100, 3_600_000])('after %i ms is possible', async (giveUpAfterMs) => {
      expect((await open({ giveUpAfterMs })).state).toBe('OPEN');
    });

    it('a defect of the sidecar is no lost connection', async () => {
      const mailbox = await open();
      session().lose(new SpreadError('SP_BUG', 'a bug'));
      await pass(1_000);
      expect(mailbox.state).toBe('ENDED');
      expect(ended).toEqual([expect.stringMatching(/^INTERNAL/)]);
      expect(attemptsSinceOpening()).toEqual([]);
    });
  });

  describe('the name', () => {
    it('is tried while another session holds it, at that daemon only', async () => {
      const mailbox = await open({}, {}, { daemons: [A, B] });
      refuse('REJECT_NOT_UNIQUE');
      session().lose();
      await pass(4_000);
      expect(new Set(attemptsSinceOpening())).toEqual(new Set([`${A} me`]));
      allow();
      await pass(1_000);
      expect(mailbox).toMatchObject({ state: 'OPEN', privateGroup: ME });
    });

    it('is tried as long after every loss', async () => {
      const mailbox = await open();
      for (let losses = 0; losses < 3; losses++) {
        refuse('REJECT_NOT_UNIQUE');
        session().lose();
        await pass(4_000);
        expect(mailbox.state).toBe('RECONNECTING');
        allow();
        await pass(2_000);
        expect(mailbox.state).toBe('OPEN');
      }
    });

    it('that can not be had in time ends the mailbox', async () => {
      const mailbox = await open({ onNameLoss: 'END' });
      refuse('REJECT_NOT_UNIQUE');
      session().lose();
      // First seen after 100 ms.
      await pass(5_099);
      expect(mailbox.state).toBe('RECONNECTING');
      await pass(2);
      expect(mailbox.state).toBe('ENDED');
      expect(ended[0]).toContain(`its private name me is in use at daemon ${A}`);
    });

    it.each([
      ['SUFFIX', '#me3#test', 'me3'],
      ['DAEMON_MADE', '#r2#test', ''],
    ] as const)('with %s another is taken then, and kept', async (onNameLoss, privateGroup, name) => {
      const mailbox = await open({ onNameLoss });
      const receiver = attachReceiver(mailbox);
      daemons.answer = (_, asked) => (['me', 'me2'].includes(asked) ? 'REJECT_NOT_UNIQUE' : undefined);
      session().lose();
      await pass(5_099);
      expect(mailbox.state).toBe('RECONNECTING');
      expect(new Set(attemptsSinceOpening())).toEqual(new Set([`${A} me`]));
      await pass(2);
      expect(mailbox).toMatchObject({ state: 'OPEN', privateGroup });
      await pass(2_000);
      expect(receiver.events.at(-1)).toMatchObject({
        kind: 'connectionRestored',
        privateGroup,
        what: `${ME} > ${privateGroup} [] ${A}`,
      });
      session().lose();
      await pass(1_000);
      expect(daemons.attempts.at(-1)).toBe(`${A} ${name}`);
      expect(mailbox.state).toBe('OPEN');
    });

    it('is the one that the daemon gave and not the one that was asked for', async () => {
      daemons.answer = (_, name) => (name === 'me' ? 'REJECT_NOT_UNIQUE' : undefined);
      const mailbox = await open({}, { onNameConflict: 'SUFFIX' });
      expect(mailbox.privateGroup).toBe('#me2#test');
      allow();
      session().lose();
      await pass(100);
      expect(mailbox.privateGroup).toBe('#me2#test');
    });

    it('that the daemon made is made anew', async () => {
      const mailbox = await open({}, { privateName: '' });
      expect(mailbox.privateGroup).toBe('#r1#test');
      session().lose();
      await pass(100);
      expect(daemons.attempts).toEqual([`${A} `, `${A} `]);
      expect(mailbox.privateGroup).toBe('#r2#test');
    });
  });

  describe('events', () => {
    it('tell loss and restoration in the one sequence, without a gap', async () => {
      daemons.nameOf = (daemon) => (daemon === A ? 'a' : 'b');
      const mailbox = await open({}, {}, { daemons: [A, B] });
      const receiver = attachReceiver(mailbox);
      await done(mailbox.join('two'));
      await done(mailbox.join('one'));
      session().deliver(regular('before'));
      daemons.answer = (daemon) => (daemon === A ? 'COULD_NOT_CONNECT' : undefined);
      session().lose();
      await pass(100);
      session().deliver(regular('after'));
      await pass(1);
      expect(
        receiver.events.map(({ sequence, kind, what, privateGroup }) => [sequence, kind, what, privateGroup]),
      ).toEqual([
        [1, 'regular', 'before', '#me#a'],
        [2, 'connectionLost', '#me#a [two,one] -8', '#me#a'],
        [3, 'connectionRestored', `#me#a > #me#b [two,one] ${B}`, '#me#b'],
        [4, 'regular', 'after', '#me#b'],
      ]);
      expect(receiver.end).toBeUndefined();
      expect(registry.totals().received).toMatchObject({
        connectionLost: 1,
        connectionRestored: 1,
        regular: 2,
      });
    });

    it('a receiver that comes meanwhile is attached to what there is', async () => {
      const mailbox = await open();
      await done(mailbox.join('one'));
      refuse();
      session().lose();
      const receiver = attachReceiver(mailbox);
      await pass(10);
      expect(receiver.attachment!.info).toMatchObject({ privateGroup: ME, groups: ['one'], lastSequence: 1 });
      expect(receiver.events).toMatchObject([{ kind: 'connectionLost' }]);
    });

    it('no attempt is made while the queue is full, so that they can not pile up', async () => {
      const mailbox = await open({}, { queue: { maxEvents: 3 } });
      const receiver = new RecordingReceiver(false);
      receiver.attachment = mailbox.attach({}, receiver);
      for (const payload of ['a', 'b', 'c']) session().deliver(regular(payload));
      expect(session().paused).toBe(true);
      session().lose();
      await pass(10_000);
      expect(attemptsSinceOpening()).toEqual([]);
      receiver.willing = true;
      receiver.takeAll();
      await pass(0);
      expect(daemons.sessions).toHaveLength(2);
      expect(session().paused).toBe(false);
      expect(mailbox.state).toBe('OPEN');
    });

    it('the new session does not read when the restoration itself fills the queue', async () => {
      const mailbox = await open({}, { queue: { maxEvents: 2 } });
      session().lose();
      await pass(100);
      expect(mailbox).toMatchObject({ state: 'OPEN', paused: true });
      expect(session().paused).toBe(true);
    });

    it.each([1, 2])('with policy DISCONNECT one too many ends the mailbox (%i)', async (maxEvents) => {
      const mailbox = await open({ queueMulticasts: true }, { queue: { maxEvents, overflow: 'DISCONNECT' } });
      await done(mailbox.join('room'));
      session().deliver(regular('a'));
      session().lose();
      const sending = fate(mailbox.multicast(outgoing('room', 'waits')));
      await pass(200);
      expect(mailbox.state).toBe('ENDED');
      expect(ended).toEqual([expect.stringMatching(/^QUEUE_OVERFLOW/)]);
      expect(sending.error).toMatchObject({ reason: 'QUEUE_OVERFLOW', metadata: { outcome: 'not-sent' } });
      expect(daemons.sessions).toHaveLength(maxEvents);
      if (maxEvents === 2) expect(session().sent).toEqual(['goodbye']);
    });
  });

  describe('groups', () => {
    it('are joined again in the order of joining, before anything else', async () => {
      const mailbox = await open();
      for (const group of ['c', 'a', 'b']) await done(mailbox.join(group));
      await done(mailbox.leave('a'));
      await done(mailbox.join('a'));
      session().lose();
      await pass(100);
      expect(session().sent).toEqual(['join c', 'join b', 'join a']);
      expect(mailbox.snapshot().groups).toEqual(['c', 'b', 'a']);
    });

    it('views known before are forgotten until new ones come, under the new name', async () => {
      daemons.nameOf = (daemon) => (daemon === A ? 'a' : 'b');
      const mailbox = await open({}, {}, { daemons: [A, B] });
      await done(mailbox.join('room'));
      session().deliver(view('room', 'JOIN', ['#me#a'], ['#me#a']));
      expect(mailbox.view('room').view.members).toEqual(['#me#a']);
      daemons.answer = (daemon) => (daemon === A ? 'COULD_NOT_CONNECT' : undefined);
      session().lose();
      expect(() => mailbox.view('room')).toThrow(like({ reason: 'NO_VIEW' }));
      await pass(100);
      expect(() => mailbox.view('room')).toThrow(like({ reason: 'NO_VIEW' }));
      const own = view('room', 'JOIN', ['#x#a', '#me#b'], ['#me#b']);
      session().deliver(own);
      expect(mailbox.view('room').view).toBe(own);
      // Not a member any more: a leave with await_view is answered by its self-leave as ever.
      const leaving = mailbox.leave('room', { awaitView: true });
      session().deliver(selfLeave('room'));
      expect(await leaving).toEqual(selfLeave('room'));
    });

    it('a join that waits for its view gets the one that comes after the loss', async () => {
      const mailbox = await open();
      const joining = fate(mailbox.join('room', { awaitView: true }));
      await pass(0);
      session().lose();
      await pass(100);
      expect(joining.settled).toBe(false);
      const own = view('room', 'JOIN', [ME], [ME]);
      session().deliver(own);
      await pass(0);
      expect(joining.value).toBe(own);
    });

    it('a leave that waits for its self-leave is answered by the loss, and the group is not joined again', async () => {
      const mailbox = await open();
      await done(mailbox.join('room'));
      session().deliver(view('room', 'JOIN', [ME], [ME]));
      const leaving = fate(mailbox.leave('room', { awaitView: true }));
      await pass(0);
      session().lose();
      await pass(0);
      expect(leaving).toEqual({ settled: true, value: undefined });
      await pass(100);
      expect(session().sent).toEqual([]);
    });

    it('a join that a later leave undoes is answered with VIEW_NOT_COMING', async () => {
      const mailbox = await open();
      const before = fate(mailbox.join('one', { awaitView: true }));
      void mailbox.leave('one');
      refuse();
      session().lose();
      const during = fate(mailbox.join('two', { awaitView: true }));
      void mailbox.leave('two');
      await pass(0);
      for (const joining of [before, during])
        expect(joining.error).toMatchObject({ reason: 'VIEW_NOT_COMING' });
    });

    it('join and leave meanwhile are answered at once and change what is joined', async () => {
      const mailbox = await open();
      await done(mailbox.join('one'));
      await done(mailbox.join('two'));
      refuse();
      session().lose();
      const calls = [
        mailbox.leave('one'),
        mailbox.join('three'),
        mailbox.leave('two', { awaitView: true }),
      ].map(fate);
      const joining = fate(mailbox.join('four', { awaitView: true }));
      await pass(0);
      for (const call of calls) expect(call).toEqual({ settled: true, value: undefined });
      expect(mailbox.snapshot().groups).toEqual(['three', 'four']);
      allow();
      await pass(100);
      expect(session().sent).toEqual(['join three', 'join four']);
      const own = view('four', 'JOIN', [ME], [ME]);
      session().deliver(own);
      await pass(0);
      expect(joining.value).toBe(own);
    });

    it('the bound of groups holds meanwhile', async () => {
      const mailbox = await open({}, {}, { maxGroups: 1 });
      await done(mailbox.join('one'));
      refuse();
      session().lose();
      await expect(mailbox.join('two')).rejects.toEqual(like({ reason: 'TOO_MANY_GROUPS' }));
    });

    it('joins and leaves that the lost connection had not taken count as done', async () => {
      const mailbox = await open();
      await done(mailbox.join('one'));
      session().full = true;
      const calls = [mailbox.join('two'), mailbox.leave('one'), mailbox.join('three')].map(fate);
      session().lose();
      await pass(0);
      for (const call of calls) expect(call).toEqual({ settled: true, value: undefined });
      await pass(100);
      expect(session().sent).toEqual(['join two', 'join three']);
    });

    it('whoever waits for a view when it is given up is told so', async () => {
      const mailbox = await open({ giveUpAfterMs: 500 });
      const joining = fate(mailbox.join('room', { awaitView: true }));
      refuse();
      session().lose();
      await pass(600);
      expect(joining.error).toMatchObject({ code: 'CONNECTION_CLOSED' });
    });
  });

  describe('messages', () => {
    it('meanwhile are refused with RECONNECTING, and nothing of them is ever sent', async () => {
      const mailbox = await open();
      refuse();
      session().lose();
      const refused = like({ reason: 'RECONNECTING', metadata: { outcome: 'not-sent' } });
      await expect(mailbox.multicast(outgoing('room', 'a'))).rejects.toEqual(refused);
      expect(() => mailbox.send(outgoing('room', 'b'))).toThrow(refused);
      await expect(mailbox.multicast(outgoing('', 'c'))).rejects.toEqual(like({ code: 'ILLEGAL_GROUP' }));
      allow();
      await pass(200);
      expect(session().sent).toEqual([]);
      await Promise.all([mailbox.multicast(outgoing('room', 'd')), pass(10)]);
      expect(session().sent).toEqual(['multicast d']);
    });

    it('that waited here are refused too, those that the connection was given are in doubt', async () => {
      const mailbox = await open();
      session().full = true;
      const [given, waiting] = ['given', 'waiting'].map((payload) =>
        fate(mailbox.multicast(outgoing('room', payload))),
      );
      const first = session();
      session().lose();
      await pass(500);
      expect(given!.error).toMatchObject({ code: 'CONNECTION_CLOSED', outcome: 'unknown' });
      expect(waiting!.error).toMatchObject({ reason: 'RECONNECTING', metadata: { outcome: 'not-sent' } });
      expect([first.sent, session().sent]).toEqual([['multicast given'], []]);
    });

    it('wait for the connection if the client wants that, in their order, behind the joins', async () => {
      const mailbox = await open({ queueMulticasts: true });
      await done(mailbox.join('room'));
      session().full = true;
      const sends = ['given', 'waited'].map((payload) => fate(mailbox.multicast(outgoing('room', payload))));
      const first = session();
      session().lose();
      sends.push(fate(mailbox.multicast(outgoing('room', 'new'))));
      await pass(90);
      expect(sends.map(({ settled }) => settled)).toEqual([true, false, false]);
      expect(sends[0]!.error).toMatchObject({ code: 'CONNECTION_CLOSED', outcome: 'unknown' });
      expect(mailbox.sendQueueBytes).toBeGreaterThan(0);
      await pass(100);
      expect(first.sent).toEqual(['join room', 'multicast given']);
      expect(session().sent).toEqual(['join room', 'multicast waited', 'multicast new']);
      expect(sends.slice(1)).toEqual([
        { settled: true, value: 6 },
        { settled: true, value: 3 },
      ]);
      expect(mailbox.sendQueueBytes).toBe(0);
    });

    it('that wait have the bound of the send queue', async () => {
      const mailbox = await open({ queueMulticasts: true }, {}, { maxSendQueueBytes: 1_000 });
      refuse();
      session().lose();
      const sends = Array.from({ length: 3 }, () =>
        fate(mailbox.multicast(outgoing('room', 'x'.repeat(400)))),
      );
      await pass(0);
      expect(sends.map(({ settled }) => settled)).toEqual([false, false, true]);
      expect(sends[2]!.error).toMatchObject({ reason: 'SEND_QUEUE_FULL', metadata: { outcome: 'not-sent' } });
    });

    it('that wait can be withdrawn', async () => {
      const mailbox = await open({ queueMulticasts: true });
      refuse();
      session().lose();
      const deadline = new AbortController();
      const sending = fate(mailbox.multicast(outgoing('room', 'late'), { signal: deadline.signal }));
      await pass(10);
      deadline.abort();
      await pass(0);
      expect(sending.error).toMatchObject({ reason: 'DEADLINE_EXCEEDED', metadata: { outcome: 'not-sent' } });
      allow();
      await pass(500);
      expect(session().sent).toEqual([]);
    });

    it.each([
      ['it is given up', 'CONNECTION_CLOSED', async () => void (await pass(600))],
      ['it is disconnected', 'MAILBOX_DISCONNECTED', (mailbox: Mailbox) => mailbox.disconnect()],
      ['the sidecar drains', 'DRAINING', () => registry.drain({ graceMs: 0 })],
    ] as const)('that wait when %s are answered: not sent', async (_, code, end) => {
      const mailbox = await open({ queueMulticasts: true, giveUpAfterMs: 500 });
      refuse();
      session().lose();
      const sends = [
        fate(mailbox.multicast(outgoing('room', 'a'))),
        fate(mailbox.multicast(outgoing('room', 'b'))),
      ];
      const ending = end(mailbox);
      await pass(10);
      await ending;
      for (const { error } of sends) {
        const { code: spread, reason, outcome, metadata } = error as Record<string, unknown>;
        expect([reason ?? spread, outcome ?? (metadata as Record<string, string>).outcome]).toEqual([
          code,
          'not-sent',
        ]);
      }
    });

    it('outlive a connection that is lost again before it took anything', async () => {
      const mailbox = await open({ queueMulticasts: true });
      await done(mailbox.join('room'));
      session().lose();
      const sending = fate(mailbox.multicast(outgoing('room', 'a')));
      const first = daemons.sessions.length;
      // The second session is dead when it is handed over, as when the daemon dies right after its accept.
      let dead = true;
      daemons.onSession = (made) => {
        if (dead) made.dieBeforeStart();
        dead = false;
      };
      await pass(100);
      expect(daemons.sessions).toHaveLength(first + 1);
      expect(sending.settled).toBe(false);
      expect(mailbox.state).toBe('RECONNECTING');
      await pass(1_000);
      expect(session().sent).toEqual(['join room', 'multicast a']);
      expect(sending).toEqual({ settled: true, value: 1 });
    });

    it('a stream is told of its first message that is in doubt, and may go on when the connection stands', async () => {
      const mailbox = await open();
      session().full = true;
      const errors: Error[] = [];
      const onTaken = (error?: Error) => void (error && errors.push(error));
      expect(mailbox.send(outgoing('room', 'given'), onTaken)).toBe(false);
      mailbox.send(outgoing('room', 'waits'), onTaken);
      let room = 0;
      mailbox.onSendRoom(() => room++);
      session().lose();
      // Also what waited is in doubt for a stream, which ends with the first of its failures.
      expect(errors).toMatchObject([
        { reason: 'RECONNECTING', metadata: { outcome: 'unknown' } },
        { code: 'CONNECTION_CLOSED', outcome: 'unknown' },
      ]);
      expect(room).toBe(0);
      await pass(1);
      expect(room).toBe(1);
      await pass(200);
      expect(mailbox.send(outgoing('room', 'new'))).toBe(true);
    });

    it('a stream whose messages wait is held back until the connection stands', async () => {
      const mailbox = await open({ queueMulticasts: true });
      session().lose();
      expect(mailbox.send(outgoing('room', 'a'))).toBe(false);
      let room = 0;
      mailbox.onSendRoom(() => room++);
      await pass(90);
      expect(room).toBe(0);
      await pass(20);
      expect(room).toBe(1);
      expect(session().sent).toEqual(['multicast a']);
    });
  });

  describe('its end meanwhile', () => {
    it.each([{}, { abort: true }, { leaveGroupsFirst: true }])(
      'by Disconnect %o stops it at once',
      async (how) => {
        const mailbox = await open();
        await done(mailbox.join('room'));
        refuse();
        session().lose();
        await pass(150);
        expect(await done(registry.disconnect(mailbox.id, how))).toBe(true);
        expect(ended).toEqual([expect.stringMatching(/^DISCONNECTED/)]);
        allow();
        const before = daemons.attempts.length;
        await pass(10_000);
        expect(daemons.attempts).toHaveLength(before);
      },
    );

    it('in the middle of an attempt waits until that is over', async () => {
      const mailbox = await open();
      daemons.answer = () => 'silence';
      session().lose();
      await pass(150);
      expect(await done(registry.disconnect(mailbox.id))).toBe(true);
      expect(daemons.options.at(-1)!.signal!.aborted).toBe(true);
    });

    it('a session that comes too late is told goodbye before Disconnect is answered', async () => {
      const mailbox = await open();
      let letIn: () => void = () => {};
      daemons.gate = new Promise((resolve) => {
        letIn = resolve;
      });
      session().lose();
      await pass(150);
      const answer = fate(registry.disconnect(mailbox.id));
      await pass(10);
      expect(answer.settled).toBe(false);
      letIn();
      await pass(10);
      expect(answer.value).toBe(true);
      expect(daemons.sessions).toHaveLength(2);
      expect(session().sent).toEqual(['goodbye']);
    });

    it('by its lease comes as ever, unless it is used', async () => {
      const mailbox = await open({ giveUpAfterMs: 600_000 }, { leaseMs: 3_000 });
      refuse();
      session().lose();
      const release = mailbox.hold();
      await pass(10_000);
      expect(mailbox.state).toBe('RECONNECTING');
      release();
      await pass(3_000);
      expect(ended).toEqual([expect.stringMatching(/^LEASE_EXPIRED/)]);
      expect(() => registry.get(mailbox.id)).toThrow(like({ reason: 'LEASE_EXPIRED' }));
      const before = daemons.attempts.length;
      await pass(10_000);
      expect(daemons.attempts).toHaveLength(before);
    });

    it('by a drain stops it, also while a receiver is still being served', async () => {
      const mailbox = await open();
      const receiver = new RecordingReceiver(false);
      receiver.attachment = mailbox.attach({}, receiver);
      refuse();
      session().lose();
      await pass(10);
      const drained = fate(registry.drain({ graceMs: 2_000 }));
      allow();
      await pass(1_000);
      expect(attemptsSinceOpening()).toEqual([]);
      expect(drained.settled).toBe(false);
      receiver.willing = true;
      receiver.takeAll();
      await pass(10);
      expect(receiver.end).toMatchObject({ reason: 'DRAINING', lastSequence: 1 });
      expect(drained.settled).toBe(true);
    });

    it('counts as a mailbox that is open', async () => {
      const mailbox = await open();
      refuse();
      session().lose();
      expect(registry.sizes()).toMatchObject({ open: 1, ended: 0 });
      expect(mailbox.snapshot()).toMatchObject({ state: 'RECONNECTING', privateGroup: ME, daemon: A });
    });
  });
});
