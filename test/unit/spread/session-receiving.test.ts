import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.js';
import { buildFrame, buildViewData } from '../../support/wire/frame-builder.js';
import { openSession } from '../../support/wire/open-session.js';
import { startLogged } from '../../support/wire/session-log.js';

function data(text: string | Buffer, fields: object = {}): Buffer {
  return buildFrame({
    type: 0x10,
    privateGroup: '#b#d',
    groups: ['room'],
    data: Buffer.from(text),
    ...fields,
  });
}

describe('messages', () => {
  it('arrive in order for any split of the bytes', async () => {
    const stream = Buffer.concat(
      Array.from({ length: 20 }, (_, i) => data(`message ${i}`, { messageType: i })),
    );
    for (const chunk of [1, 7, 48, 1000]) {
      const { session } = await openSession([{ send: stream, chunk }]);
      const log = startLogged(session);
      await log.received(20);
      expect(log.messages.map((m) => (m.kind === 'regular' ? m.payload.toString() : ''))).toEqual(
        Array.from({ length: 20 }, (_, i) => `message ${i}`),
      );
      session.abort();
    }
  });

  it('have the time at which they were read', async () => {
    const { session } = await openSession([{ send: data('x') }]);
    const before = Date.now();
    const times: number[] = [];
    session.start({ onMessage: (_message, at) => void times.push(at), onClose: () => {} });
    await until(() => times.length === 1);
    expect(times[0]).toBeGreaterThanOrEqual(before);
    expect(times[0]).toBeLessThanOrEqual(Date.now());
  });

  it('of a big-endian daemon are decoded: counts, lengths, views and their IDs', async () => {
    const groupId = [0xef000001, -5, 7] as const;
    const vsSets = [['#x#d'], ['#a#localhost', '#b#d']];
    const stream = Buffer.concat([
      data('from a big machine', { bigEndian: true, messageType: -300 }),
      data('little payload, big daemon', { bigEndian: true, bigEndianHint: false, messageType: 300 }),
      buildFrame({
        type: 0x1800,
        privateGroup: 'room',
        groups: ['#a#localhost', '#b#d', '#x#d'],
        data: buildViewData({ groupId, vsSets, ownSetIndex: 1, bigEndian: true }),
        bigEndian: true,
      }),
      buildFrame({
        type: 0x2000,
        privateGroup: 'room',
        data: buildViewData({ groupId, vsSets: [], bigEndian: true }).subarray(0, 12),
        bigEndian: true,
      }),
      buildFrame({ type: 0x200, privateGroup: 'room', bigEndian: true }),
      buildFrame({
        type: 0x400000,
        privateGroup: '#a#localhost',
        oldType: 0x100,
        groups: ['deny', '#a#localhost'],
        bigEndian: true,
      }),
    ]);
    const { session } = await openSession([{ send: stream }]);
    const log = startLogged(session);
    await log.received(6);
    expect(log.messages).toMatchObject([
      {
        kind: 'regular',
        messageType: -300,
        endianMismatch: true,
        payload: Buffer.from('from a big machine'),
      },
      { kind: 'regular', messageType: 300, endianMismatch: false },
      {
        kind: 'view',
        cause: 'NETWORK',
        groupId: { words: groupId },
        vsSets,
        ownSetIndex: 1,
        changed: ['#x#d'],
      },
      { kind: 'transitional', groupId: { words: groupId } },
      { kind: 'selfLeave', group: 'room' },
      { kind: 'rejected', refused: 'JOIN', groups: ['deny'] },
    ]);
  });
});

describe('reading', () => {
  it('starts with start: nothing is lost before, not even an end', async () => {
    const { session, daemon } = await openSession([{ send: data('kept') }, { end: true }]);
    await daemon.finished;
    const log = startLogged(session);
    expect(await log.ended()).toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(log.messages).toMatchObject([{ payload: Buffer.from('kept') }]);
  });

  it('stops with pause, so that the daemon must wait, and continues with resume', async () => {
    const payload = Buffer.alloc(100_000);
    const count = 300;
    const stream = Buffer.concat(Array.from({ length: count }, () => data(payload)));
    const { session, daemon } = await openSession([{ send: stream }]);
    const log = startLogged(session);
    await log.received(1);
    session.pause();
    const socket = daemon.sockets[0]!;
    await until(() => socket.writableLength > 0, { what: 'the daemon to be stuck' });
    // Two consecutive reads with the same result show that everything in flight has arrived.
    let seen = -1;
    await until(async () => {
      const same = seen === log.messages.length;
      seen = log.messages.length;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return same;
    });
    expect(log.messages.length).toBeLessThan(count);
    expect(socket.writableLength).toBeGreaterThan(0);
    session.resume();
    await log.received(count);
    expect(log.messages.length).toBe(count);
  });

  it('a session that is paused before its start reads when it is resumed', async () => {
    const { session } = await openSession([{ send: data('x') }]);
    session.pause();
    const log = startLogged(session);
    session.resume();
    await log.received(1);
  });

  it('a handler may end the session between two messages of one chunk', async () => {
    const { session } = await openSession([{ send: Buffer.concat([data('1'), data('2'), data('3')]) }]);
    const seen: unknown[] = [];
    const closed: unknown[] = [];
    session.start({
      onMessage: (message) => {
        seen.push(message);
        if (seen.length === 2) session.abort();
      },
      onClose: (error) => void closed.push(error),
    });
    await until(() => closed.length > 0);
    expect(seen.length).toBe(2);
    expect(closed).toEqual([undefined]);
  });
});
