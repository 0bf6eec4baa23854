import { describe, expect, it } from 'vitest';
import { SpreadError } from '../../../../server/src/spread/spread-error.js';
import { attachReceiver } from '../../../support/mailboxes/mailbox-bench.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';
import {
  A,
  allow,
  attemptsSinceOpening,
  B,
  daemons,
  done,
  ended,
  fate,
  like,
  ME,
  open,
  pass,
  RECONNECT,
  refuse,
  registry,
  reported,
  resetForEachTest,
  session,
} from './reconnecting-mailbox.js';

describe('a mailbox that reconnects', () => {
  resetForEachTest();

  describe('attempts', () => {
    it('are made only if the client enabled them: otherwise the mailbox ends', async () => {
      const mailbox = await open({}, { reconnect: undefined });
      session().lose();
      await pass(10_000);
      expect(attemptsSinceOpening()).toEqual([]);
      expect(mailbox.state).toBe('ENDED');
    });

    it('have pauses that double up to the maximum', async () => {
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

    it('go to the lost daemon first and then to the others, in a round', async () => {
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

    it('request the settings of the first session', async () => {
      await open({ giveUpAfterMs: 2_000 }, { membership: false, priority: 1 });
      refuse();
      session().lose();
      await pass(1_600);
      const [first, ...later] = daemons.options.map(({ signal: _, timeoutMs: __, ...rest }) => rest);
      for (const options of later) expect(options).toEqual(first);
      // The remaining time also limits an attempt.
      expect(daemons.options.map(({ timeoutMs }) => timeoutMs)).toEqual([5_000, 1_900, 1_700, 1_300, 500]);
    });

    it('restart with short pauses, unless the connection was short', async () => {
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

    it('are reported', async () => {
      await open();
      refuse();
      session().lose();
      await pass(100);
      allow();
      await pass(200);
      expect(reported).toEqual([
        `reconnecting ${ME}`,
        `failed ${A} COULD_NOT_CONNECT`,
        `reconnected ${ME} ${ME} ${A} 0.3`,
      ]);
    });
  });

  describe('a mailbox that gives up', () => {
    it.each([
      ['what the client says', 2_000, 2_000],
      ['the default', undefined, 60_000],
    ])('happens after %s, and ends the mailbox as a lost connection', async (_, giveUpAfterMs, ms) => {
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
      expect(reported.at(-1)).toBe('given up');
      const before = daemons.attempts.length;
      await pass(10_000);
      expect(daemons.attempts).toHaveLength(before);
    });

    it('also happens when a daemon does not respond', async () => {
      const mailbox = await open({ giveUpAfterMs: 2_000 });
      daemons.answer = () => 'silence';
      session().lose();
      await pass(2_000);
      expect(mailbox.state).toBe('ENDED');
    });

    it.each([99, 3_600_001])('after %i ms is rejected', async (giveUpAfterMs) => {
      await expect(open({ giveUpAfterMs })).rejects.toMatchObject({
        reason: 'LIMIT_OUT_OF_RANGE',
        metadata: { field: 'reconnect.give_up_after', bound: '100 ms to 3600000 ms' },
      });
      expect(daemons.attempts).toEqual([]);
    });

    it.each([100, 3_600_000])('after %i ms is possible', async (giveUpAfterMs) => {
      expect((await open({ giveUpAfterMs })).state).toBe('OPEN');
    });

    it('an unexpected error does not count as a lost connection', async () => {
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

    it('is tried for the same time after every loss', async () => {
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

    it('that is not available in time ends the mailbox', async () => {
      const mailbox = await open({ onNameLoss: 'END' });
      refuse('REJECT_NOT_UNIQUE');
      session().lose();
      // The first attempt is after 100 ms.
      await pass(5_099);
      expect(mailbox.state).toBe('RECONNECTING');
      await pass(2);
      expect(mailbox.state).toBe('ENDED');
      expect(ended[0]).toContain(`its private name me is in use at daemon ${A}`);
    });

    it.each([
      ['SUFFIX', '#me3#test', 'me3'],
      ['DAEMON_MADE', '#r2#test', ''],
    ] as const)('with %s another is used then, and kept', async (onNameLoss, privateGroup, name) => {
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

    it('is the one that the daemon assigned, not the requested one', async () => {
      daemons.answer = (_, name) => (name === 'me' ? 'REJECT_NOT_UNIQUE' : undefined);
      const mailbox = await open({}, { onNameConflict: 'SUFFIX' });
      expect(mailbox.privateGroup).toBe('#me2#test');
      allow();
      session().lose();
      await pass(100);
      expect(mailbox.privateGroup).toBe('#me2#test');
    });

    it('that the daemon generated is restored', async () => {
      const mailbox = await open({}, { privateName: '' });
      expect(mailbox.privateGroup).toBe('#r1#test');
      session().lose();
      await pass(100);
      expect(daemons.attempts).toEqual([`${A} `, `${A} `]);
      expect(mailbox.privateGroup).toBe('#r2#test');
    });
  });

  describe('its end meanwhile', () => {
    it.each([{}, { abort: true }, { leaveGroupsFirst: true }])(
      'by Disconnect %o stops it immediately',
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

    it('in the middle of an attempt waits for its end', async () => {
      const mailbox = await open();
      daemons.answer = () => 'silence';
      session().lose();
      await pass(150);
      expect(await done(registry.disconnect(mailbox.id))).toBe(true);
      expect(daemons.options.at(-1)!.signal!.aborted).toBe(true);
    });

    it('a session that arrives too late is disconnected before Disconnect responds', async () => {
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

    it('by its lease happens as usual, unless it is used', async () => {
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

    it('by a drain stops it, also while a receiver is still active', async () => {
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

    it('counts as an open mailbox', async () => {
      const mailbox = await open();
      refuse();
      session().lose();
      expect(registry.sizes()).toMatchObject({ open: 1, ended: 0 });
      expect(mailbox.snapshot()).toMatchObject({ state: 'RECONNECTING', privateGroup: ME, daemon: A });
    });
  });
});
