import { describe, expect, it } from 'vitest';
import type { Session } from '../../../server/src/spread/session.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import { until, within } from '../../support/until.js';
import { buildFrame } from '../../support/wire/frame-builder.js';
import { openSession } from '../../support/wire/open-session.js';
import { startLogged } from '../../support/wire/session-log.js';

const ME = '#a#localhost';
const KILL = buildFrame({ type: 0x40000, privateGroup: ME, groups: [ME] });
const HELLO = { serviceType: 'FIFO', groups: ['room'], payload: Buffer.from('hello') } as const;

/** The error codes of all three kinds of sends. */
function codesOfSends(session: Session): string[] {
  return [() => session.multicast(HELLO), () => session.join('room'), () => session.leave('room')].map(
    (send) => {
      try {
        send();
        return 'sent';
      } catch (error) {
        return error instanceof SpreadError ? error.code : String(error);
      }
    },
  );
}

describe('the daemon ends the session', () => {
  it('with an end of stream: CONNECTION_CLOSED once, then NET_ERROR_ON_SESSION for every send', async () => {
    const { session } = await openSession([{ end: true }]);
    const log = startLogged(session);
    expect(await log.ended()).toMatchObject({ code: 'CONNECTION_CLOSED', number: -8 });
    expect(session.state).toBe('closed');
    for (let i = 0; i < 2; i++) {
      expect(codesOfSends(session)).toEqual(Array(3).fill('NET_ERROR_ON_SESSION'));
    }
    await session.disconnect();
    session.abort();
    expect(log.closed.length).toBe(1);
  });

  it('with a reset', async () => {
    // The reset must come after the session reads: libuv reports data with an immediate reset as a normal end.
    let reset = (): void => {};
    const wait = new Promise<void>((resolve) => {
      reset = resolve;
    });
    const { session } = await openSession([{ wait }, { reset: true }]);
    const log = startLogged(session);
    reset();
    const error = await log.ended();
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(error?.message).toContain('ECONNRESET');
  });

  it('in the middle of a frame: the part is discarded, and reported', async () => {
    const frame = buildFrame({ type: 2, privateGroup: '#b#d', groups: ['room'], data: Buffer.alloc(1000) });
    for (const length of [1, 47, 48, 79, 80, 1079]) {
      const { session } = await openSession([
        { send: Buffer.concat([frame, frame.subarray(0, length)]) },
        { end: true },
      ]);
      const log = startLogged(session);
      const error = await log.ended();
      expect(error?.message).toContain('in the middle of a message');
      expect(log.messages.length).toBe(1);
    }
  });

  it('what arrived before the end is delivered before it', async () => {
    const frame = buildFrame({ type: 2, privateGroup: '#b#d', groups: ['room'], data: Buffer.alloc(10_000) });
    const { session } = await openSession([{ send: Buffer.concat(Array(100).fill(frame)) }, { end: true }]);
    const seenAtClose = await new Promise<number>((resolve) => {
      let seen = 0;
      session.start({ onMessage: () => void seen++, onClose: () => resolve(seen) });
    });
    expect(seenAtClose).toBe(100);
  });

  it('before start: the caller of start gets it', async () => {
    const { session } = await openSession([{ reset: true }]);
    await until(() => {
      session.resume();
      return session.state === 'closed' || codesOfSends(session)[0] === 'NET_ERROR_ON_SESSION';
    });
    const log = startLogged(session);
    expect(await log.ended()).toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  it('sends that the kernel did not accept fail after onClose, in order', async () => {
    let die = (): void => {};
    const wait = new Promise<void>((resolve) => {
      die = resolve;
    });
    const { session, daemon } = await openSession([{ wait }, { reset: true }]);
    daemon.sockets[0]!.pause();
    const order: string[] = [];
    session.start({ onMessage: () => {}, onClose: (error) => void order.push(`close ${error?.code}`) });
    const payload = Buffer.alloc(140_000);
    let sent = 0;
    for (; session.bufferedBytes < 20_000_000; sent++) {
      const number = sent;
      session.multicast({ ...HELLO, payload }, (error) => {
        if (error) order.push(`${number} ${error.code}`);
      });
    }
    die();
    await until(() => order.some((entry) => entry.startsWith(`${sent - 1} `)), {
      what: 'the last send to fail',
    });
    expect(order[0]).toBe('close CONNECTION_CLOSED');
    const failed = order.slice(1).map((entry) => Number.parseInt(entry, 10));
    expect(failed).toEqual(Array.from({ length: failed.length }, (_, i) => sent - failed.length + i));
    expect(order.slice(1).every((entry) => entry.endsWith(' CONNECTION_CLOSED'))).toBe(true);
  });
});

describe('the daemon breaks the protocol', () => {
  const broken: [string, Buffer, string][] = [
    ['a negative count of groups', buildFrame({ type: 2, numGroups: -1 }), 'num_groups'],
    ['more groups than a view can have', buildFrame({ type: 0x1100, numGroups: 4501 }), 'num_groups'],
    ['a negative length', buildFrame({ type: 2, dataLength: -1 }), 'data_len'],
    ['a gigabyte', buildFrame({ type: 2, dataLength: 1e9 }), 'data_len'],
    ['a type that does not exist', buildFrame({ type: 0 }), 'type'],
    ['a view without a body', buildFrame({ type: 0x1100, privateGroup: 'g' }), 'data_len'],
  ];

  it.each(broken)('%s', async (_what, bytes, field) => {
    const good = buildFrame({ type: 2, privateGroup: '#b#d', groups: ['g'] });
    const { session } = await openSession([{ send: Buffer.concat([good, bytes, good]) }]);
    const log = startLogged(session);
    const error = await log.ended();
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED', cause: { code: 'ILLEGAL_MESSAGE', field } });
    expect(error?.message).toContain('violated the protocol');
    expect(log.messages.length).toBe(1);
  });
});

describe('a handler that throws', () => {
  it('ends the session as a bug, with the cause kept', async () => {
    const { session } = await openSession([{ send: buildFrame({ type: 2, groups: ['g'] }) }]);
    const error = await new Promise<SpreadError | undefined>((resolve) => {
      session.start({
        onMessage: () => {
          throw new Error('secret detail');
        },
        onClose: resolve,
      });
    });
    expect(error).toMatchObject({ code: 'SP_BUG', cause: { message: 'secret detail' } });
    expect(error?.message).not.toContain('secret');
  });
});

describe('disconnect', () => {
  it('sends the queued requests, then the disconnect message, and waits for the daemon to close', async () => {
    const frame = buildFrame({ type: 4, privateGroup: ME, groups: ['room'], data: Buffer.from('hello') });
    const { session, daemon } = await openSession([{ expect: frame }, { expect: KILL }, { end: true }]);
    const log = startLogged(session);
    session.multicast(HELLO);
    const done = session.disconnect();
    expect(session.state).toBe('closing');
    expect(codesOfSends(session)).toEqual(Array(3).fill('ILLEGAL_SESSION'));
    await within(done, 'disconnect');
    await daemon.finished;
    expect(session.state).toBe('closed');
    expect(log.closed).toEqual([undefined]);
    expect(codesOfSends(session)).toEqual(Array(3).fill('ILLEGAL_SESSION'));
  });

  it('discards later input, also when reading was paused', async () => {
    const late = Buffer.concat(
      Array(200).fill(buildFrame({ type: 2, groups: ['g'], data: Buffer.alloc(50_000) })),
    );
    const { session } = await openSession([{ expect: KILL }, { send: late }, { end: true }]);
    const log = startLogged(session);
    session.pause();
    await within(session.disconnect(), 'disconnect');
    expect(log.messages).toEqual([]);
    expect(log.closed).toEqual([undefined]);
  });

  it('works before start', async () => {
    const { session, daemon } = await openSession([{ expect: KILL }, { end: true }]);
    await within(session.disconnect(), 'disconnect');
    await daemon.finished;
  });

  it('twice has the effect of once', async () => {
    const { session, daemon } = await openSession([{ expect: KILL }, { awaitEnd: true }, { end: true }]);
    await within(Promise.all([session.disconnect(), session.disconnect()]), 'both');
    await within(session.disconnect(), 'a third');
    await daemon.finished;
  });

  it('a reset counts as the end too', async () => {
    const { session } = await openSession([{ expect: KILL }, { reset: true }]);
    const log = startLogged(session);
    await within(session.disconnect(), 'disconnect');
    expect(log.closed).toEqual([undefined]);
  });

  it('has a time limit when the daemon does not close', async () => {
    const { session } = await openSession([{ expect: KILL }]);
    const log = startLogged(session);
    await within(session.disconnect(40), 'disconnect');
    expect(session.state).toBe('closed');
    expect(log.closed).toEqual([undefined]);
  });
});

describe('abort', () => {
  it('sends no disconnect message', async () => {
    const { session, daemon } = await openSession([{ awaitEnd: true }]);
    const log = startLogged(session);
    const before = daemon.received().length;
    session.abort();
    expect(session.state).toBe('closed');
    await daemon.finished;
    expect(daemon.received().length).toBe(before);
    expect(log.closed).toEqual([undefined]);
    expect(codesOfSends(session)).toEqual(Array(3).fill('ILLEGAL_SESSION'));
  });
});
