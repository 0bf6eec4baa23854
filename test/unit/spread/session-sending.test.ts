import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Session } from '../../../server/src/spread/session.js';
import type { OutgoingMessage } from '../../../server/src/spread/session-options.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import { acceptBytes, NULL_LIST } from '../../support/daemons/scripted-daemon.js';
import { until } from '../../support/until.js';
import { buildFrame } from '../../support/wire/frame-builder.js';
import { HANDSHAKE_BYTES, openSession } from '../../support/wire/open-session.js';
import { startLogged } from '../../support/wire/session-log.js';

const ME = '#a#localhost';

function message(fields: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { serviceType: 'AGREED', groups: ['room'], payload: Buffer.from('hi'), ...fields };
}

/** The error that `action` throws. */
function thrown(action: () => unknown): SpreadError {
  try {
    action();
  } catch (error) {
    if (error instanceof SpreadError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A stream that accepts the session by itself and records each call of write or writev below it. */
function recordingDuplex(): { stream: Duplex; calls: Buffer[][] } {
  const calls: Buffer[][] = [];
  const answers = [NULL_LIST, acceptBytes(ME)];
  const write = (chunks: Buffer[], callback: () => void): void => {
    calls.push(chunks);
    callback();
    const answer = answers.shift();
    if (answer) stream.push(answer);
  };
  const stream: Duplex = new Duplex({
    read() {},
    write: (chunk, _encoding, callback) => write([chunk], callback),
    writev: (chunks, callback) =>
      write(
        chunks.map(({ chunk }) => chunk),
        callback,
      ),
  });
  return { stream, calls };
}

describe('requests on the wire', () => {
  it('are those of Spread, in the order of their calls', async () => {
    const { session, daemon } = await openSession([]);
    const big = Buffer.alloc(100_000, 'x');
    const taken: string[] = [];
    session.join('room', () => taken.push('join'));
    session.multicast(message({ serviceType: 'SAFE', selfDiscard: true, messageType: -2 }), () =>
      taken.push('small'),
    );
    session.multicast(message({ serviceType: 'FIFO', groups: ['room', '#b#other'], payload: big }), () =>
      taken.push('big'),
    );
    session.leave('room', () => taken.push('leave'));
    const expected = Buffer.concat([
      buildFrame({ type: 0x10000, privateGroup: ME, groups: ['room'] }),
      buildFrame({
        type: 0x60,
        privateGroup: ME,
        groups: ['room'],
        messageType: -2,
        data: Buffer.from('hi'),
      }),
      buildFrame({ type: 4, privateGroup: ME, groups: ['room', '#b#other'], data: big }),
      buildFrame({ type: 0x20000, privateGroup: ME, groups: ['room'] }),
    ]);
    await until(() => daemon.received().length >= HANDSHAKE_BYTES + expected.length);
    expect(daemon.received().subarray(HANDSHAKE_BYTES).equals(expected)).toBe(true);
    await until(() => taken.length === 4);
    expect(taken).toEqual(['join', 'small', 'big', 'leave']);
    expect(session.bufferedBytes).toBe(0);
  });

  it('of one turn use one call, small ones as one piece and large payloads without a copy', async () => {
    const { stream, calls } = recordingDuplex();
    const session = await Session.connect({
      address: '4803@nowhere',
      privateName: 'a',
      socketFactory: () => stream,
    });
    calls.length = 0;
    const payload = Buffer.alloc(50_000);
    for (let i = 0; i < 3; i++) session.multicast(message());
    session.multicast(message({ payload }));
    await until(() => calls.length > 0);
    expect(calls.length).toBe(1);
    expect(calls[0]!.length).toBe(2);
    expect(calls[0]![1]!.buffer).toBe(payload.buffer);
    session.join('later');
    await until(() => calls.length === 2);
    session.abort();
  });
});

describe('requests that are rejected before a byte is sent', () => {
  const refusals: [string, Partial<OutgoingMessage>, object][] = [
    [
      'no service',
      { serviceType: 'BEST_EFFORT' as never },
      { code: 'ILLEGAL_SERVICE', field: 'service_type' },
    ],
    ['no group', { groups: [] }, { code: 'ILLEGAL_GROUP', field: 'groups', bound: '1..43' }],
    [
      '44 groups',
      { groups: Array(44).fill('g') },
      { code: 'ILLEGAL_GROUP', field: 'groups', bound: '1..43' },
    ],
    ['a malformed group', { groups: ['ok', 'a b'] }, { code: 'ILLEGAL_GROUP', field: 'groups[1]' }],
    [
      'a long payload',
      { payload: Buffer.alloc(143_120) },
      { code: 'MESSAGE_TOO_LONG', bound: '0..143119 bytes' },
    ],
    ['a message type', { messageType: 32_768 }, { code: 'ILLEGAL_MESSAGE', field: 'message_type' }],
  ];

  it.each(refusals)('%s', async (_what, fields, error) => {
    const { session, daemon } = await openSession([]);
    expect(thrown(() => session.multicast(message(fields)))).toMatchObject(error);
    session.join('room');
    await until(() => daemon.received().length > HANDSHAKE_BYTES);
    expect(daemon.received().length).toBe(HANDSHAKE_BYTES + 80);
    expect(session.state).toBe('open');
  });

  it('names to join and leave', async () => {
    const { session } = await openSession([]);
    for (const group of ['', 'x'.repeat(32), 'a b', '#a#localhost']) {
      expect(thrown(() => session.join(group))).toMatchObject({
        code: 'ILLEGAL_GROUP',
        number: -14,
        field: 'group',
      });
      expect(thrown(() => session.leave(group))).toMatchObject({ code: 'ILLEGAL_GROUP', number: -14 });
    }
  });

  it('unless the limits were set for a daemon with larger ones', async () => {
    const { session } = await openSession([], { messageLimits: { maxGroups: 100, maxBody: 143_151 } });
    session.multicast(message({ groups: Array(100).fill('g') }));
    expect(thrown(() => session.multicast(message({ groups: Array(101).fill('g') })))).toMatchObject({
      bound: '1..100',
    });
  });
});

describe('a daemon that does not read', () => {
  it('makes sends return false at the threshold, shows the queued bytes, and reports when to continue', async () => {
    let readOn = (): void => {};
    const wait = new Promise<void>((resolve) => {
      readOn = resolve;
    });
    const { session, daemon } = await openSession([{ wait }], { sendHighWaterMark: 100_000 });
    const log = startLogged(session);
    const socket = daemon.sockets[0]!;
    socket.pause();
    const payload = Buffer.alloc(50_000);
    let sent = 0;
    let taken = 0;
    // The kernel accepts some megabytes before it stops.
    while (sent < 1000) {
      const more = session.multicast(message({ payload }), () => taken++);
      sent++;
      if (!more && session.bufferedBytes > 200_000) {
        await new Promise((resolve) => setImmediate(resolve));
        if (session.bufferedBytes > 200_000) break;
      }
    }
    expect(session.bufferedBytes).toBeGreaterThan(200_000);
    expect(taken).toBeLessThan(sent);
    const drainsBefore = log.drains;
    readOn();
    socket.resume();
    await until(() => taken === sent, { what: 'all messages to be taken' });
    expect(session.bufferedBytes).toBe(0);
    expect(log.drains).toBeGreaterThan(drainsBefore);
  });
});
