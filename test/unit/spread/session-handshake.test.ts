import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { AuthMethod } from '../../../server/src/spread/auth.js';
import { NULL_AUTH } from '../../../server/src/spread/auth.js';
import { Session } from '../../../server/src/spread/session.js';
import type { SessionOptions } from '../../../server/src/spread/session-options.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import {
  acceptBytes,
  acceptScript,
  connectRequestBytes,
  type DaemonStep,
  NULL_CHOICE,
  NULL_LIST,
  scriptedDaemon,
} from '../../support/daemons/scripted-daemon.js';
import { freePort } from '../../support/sidecars/serve-process.js';
import { temporaryFolder } from '../../support/tmp.js';
import { until } from '../../support/until.js';
import { buildFrame } from '../../support/wire/frame-builder.js';
import { startLogged } from '../../support/wire/session-log.js';

/** The error of an attempt that must fail. */
async function failure(options: SessionOptions): Promise<SpreadError> {
  try {
    const session = await Session.connect(options);
    session.abort();
  } catch (error) {
    if (error instanceof SpreadError) return error;
    throw error;
  }
  throw new Error('a session was opened');
}

async function failureAt(
  script: readonly DaemonStep[],
  options: Partial<SessionOptions> = {},
): Promise<SpreadError> {
  const daemon = await scriptedDaemon([script]);
  return failure({ address: daemon.address, privateName: 'a', ...options });
}

const REQUEST: DaemonStep = { expect: connectRequestBytes('a') };

describe('a successful handshake', () => {
  for (const transport of ['tcp', 'unix'] as const) {
    it(`returns private group and daemon version over ${transport}`, async () => {
      const daemon = await scriptedDaemon([acceptScript('alice')], { transport });
      const session = await Session.connect({ address: daemon.spreadName, privateName: 'alice' });
      expect(session.privateGroup).toBe('#alice#localhost');
      expect(session.daemonVersion).toEqual({ major: 5, minor: 0, patch: 1 });
      expect(session.state).toBe('open');
      expect(session.address).toEqual(daemon.address);
      await daemon.finished;
      session.abort();
    });
  }

  it('sends flags for membership and priority, and an empty name', async () => {
    const script = [
      { expect: connectRequestBytes('', 0x10) },
      { send: NULL_LIST },
      { expect: NULL_CHOICE },
      { send: acceptBytes('#r1-7#d') },
    ];
    const daemon = await scriptedDaemon([script]);
    const session = await Session.connect({ address: daemon.address, membership: false, priority: 1 });
    expect(session.privateGroup).toBe('#r1-7#d');
    session.abort();
  });

  it('reads responses byte by byte', async () => {
    const script: DaemonStep[] = [
      REQUEST,
      { send: NULL_LIST, chunk: 1 },
      { expect: NULL_CHOICE },
      { send: acceptBytes('#a#localhost'), chunk: 1 },
    ];
    const daemon = await scriptedDaemon([script]);
    const session = await Session.connect({ address: daemon.address, privateName: 'a' });
    expect(session.privateGroup).toBe('#a#localhost');
    session.abort();
  });

  it('keeps frames that arrive together with the response', async () => {
    const first = buildFrame({
      type: 2,
      privateGroup: '#b#localhost',
      groups: ['#a#localhost'],
      data: Buffer.from('early'),
    });
    const daemon = await scriptedDaemon([acceptScript('a', Buffer.concat([first, first]))]);
    const session = await Session.connect({ address: daemon.address, privateName: 'a' });
    const log = startLogged(session);
    await log.received(2);
    expect(log.messages).toMatchObject([
      { payload: Buffer.from('early') },
      { payload: Buffer.from('early') },
    ]);
  });

  it('accepts older and newer daemons, from version 3 on', async () => {
    for (const version of [
      [3, 0, 0],
      [4, 4, 0],
      [99, 1, 2],
    ]) {
      const daemon = await scriptedDaemon([
        [REQUEST, { send: NULL_LIST }, { expect: NULL_CHOICE }, { send: acceptBytes('#a#d', version) }],
      ]);
      const session = await Session.connect({ address: daemon.address, privateName: 'a' });
      expect(Object.values(session.daemonVersion)).toEqual(version);
      session.abort();
    }
  });

  it('writes each request immediately', async () => {
    const { stream, writes, answer } = recordedStream();
    const pending = Session.connect({
      address: '4803@nowhere',
      privateName: 'alice',
      socketFactory: () => stream,
    });
    await until(() => writes.length === 1);
    answer(NULL_LIST);
    await until(() => writes.length === 2);
    answer(acceptBytes('#alice#localhost'));
    const session = await pending;
    expect(writes).toEqual([connectRequestBytes('alice'), NULL_CHOICE]);
    session.abort();
  });
});

/** A stream that records its writes. */
function recordedStream(): { stream: PassThrough; writes: Buffer[]; answer: (bytes: Buffer) => void } {
  const writes: Buffer[] = [];
  const stream = new PassThrough();
  stream._write = (chunk: Buffer, _encoding, callback) => {
    writes.push(chunk);
    callback();
  };
  return { stream, writes, answer: (bytes) => void stream.push(bytes) };
}

describe('a handshake that is rejected', () => {
  const codes = [
    [0xfd, 'REJECT_QUOTA', -3],
    [0xfc, 'REJECT_NO_NAME', -4],
    [0xfb, 'REJECT_ILLEGAL_NAME', -5],
    [0xfa, 'REJECT_NOT_UNIQUE', -6],
    [0xf9, 'REJECT_VERSION', -7],
    [0xf7, 'REJECT_AUTH', -9],
  ] as const;

  for (const [byte, code, number] of codes) {
    it(`${code} instead of the auth list`, async () => {
      expect(await failureAt([REQUEST, { send: Buffer.from([byte]) }, { end: true }])).toMatchObject({
        code,
        number,
      });
    });

    it(`${code} instead of the response`, async () => {
      const script: DaemonStep[] = [
        REQUEST,
        { send: NULL_LIST },
        { expect: NULL_CHOICE },
        { send: Buffer.from([byte]) },
        { end: true },
      ];
      expect(await failureAt(script)).toMatchObject({ code, number });
    });
  }

  it('the code counts even when a reset follows it', async () => {
    for (let i = 0; i < 25; i++) {
      expect(await failureAt([REQUEST, { send: Buffer.from([0xfa]) }, { reset: true }])).toMatchObject({
        code: 'REJECT_NOT_UNIQUE',
      });
    }
  });

  it('a code before any read, as when the daemon is full', async () => {
    for (let i = 0; i < 25; i++) {
      expect(await failureAt([{ send: Buffer.from([0xfd]) }, { end: true }])).toMatchObject({
        code: 'REJECT_QUOTA',
      });
    }
  });

  it('an unknown code is not a response of a Spread daemon', async () => {
    const error = await failureAt([REQUEST, { send: Buffer.from([0x9c]) }, { end: true }]);
    expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT' });
    expect(error.message).toContain('-100');
  });

  it('a daemon older than version 3', async () => {
    const script: DaemonStep[] = [
      REQUEST,
      { send: NULL_LIST },
      { expect: NULL_CHOICE },
      { send: acceptBytes('#a#d', [2, 9, 9]) },
    ];
    expect(await failureAt(script)).toMatchObject({ code: 'REJECT_VERSION', field: 'daemon_version' });
  });

  it('an impossible private group', async () => {
    for (const group of ['', 'x'.repeat(32)]) {
      const script: DaemonStep[] = [
        REQUEST,
        { send: NULL_LIST },
        { expect: NULL_CHOICE },
        { send: acceptBytes(group) },
      ];
      expect(await failureAt(script)).toMatchObject({ code: 'COULD_NOT_CONNECT' });
    }
  });
});

describe('authentication', () => {
  it('rejects a method that the daemon does not list, before the choice is sent', async () => {
    const daemon = await scriptedDaemon([[REQUEST, { send: NULL_LIST }, { awaitEnd: true }]]);
    const ip: AuthMethod = { name: 'IP', authenticate: async () => {} };
    expect(await failure({ address: daemon.address, privateName: 'a', auth: [NULL_AUTH, ip] })).toMatchObject(
      {
        code: 'REJECT_AUTH',
        field: 'auth',
        bound: 'NULL',
      },
    );
    await daemon.finished;
    expect(daemon.received().length).toBe(connectRequestBytes('a').length);
  });

  it('an empty list offers nothing', async () => {
    expect(await failureAt([REQUEST, { send: Buffer.from([0, 0xf7]) }, { end: true }])).toMatchObject({
      code: 'REJECT_AUTH',
    });
  });

  it('lets a method exchange data with the daemon between choice and response', async () => {
    const choice = Buffer.alloc(90);
    choice.write('PWORD', 0);
    const script: DaemonStep[] = [
      REQUEST,
      { send: Buffer.from('\x0bNULL PWORD ', 'latin1') },
      { expect: choice },
      { send: Buffer.from('salt'), chunk: 1 },
      { expect: Buffer.from('salt secret') },
      { send: Buffer.concat([Buffer.from('ok'), acceptBytes('#a#localhost')]) },
    ];
    const daemon = await scriptedDaemon([script]);
    const heard: string[] = [];
    const pword: AuthMethod = {
      name: 'PWORD',
      authenticate: async (conversation) => {
        const salt = await conversation.read(4);
        conversation.write(Buffer.concat([salt, Buffer.from(' secret')]));
        heard.push(salt.toString(), (await conversation.read(2)).toString());
      },
    };
    const session = await Session.connect({ address: daemon.address, privateName: 'a', auth: [pword] });
    expect(heard).toEqual(['salt', 'ok']);
    session.abort();
  });

  it('names at most two methods', async () => {
    const error = await failure({ address: '4803@localhost', auth: [NULL_AUTH, NULL_AUTH, NULL_AUTH] });
    expect(error).toMatchObject({ code: 'REJECT_AUTH', field: 'auth', bound: '1..2' });
  });
});

describe('a handshake that fails', () => {
  it('the daemon closes without a response', async () => {
    const error = await failureAt([REQUEST, { end: true }]);
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED', number: -8 });
    expect(error.message).toContain('list of authentication methods');
  });

  it('the daemon resets', async () => {
    expect(
      await failureAt([REQUEST, { send: NULL_LIST }, { expect: NULL_CHOICE }, { reset: true }]),
    ).toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  it('the daemon closes within a response', async () => {
    const script: DaemonStep[] = [
      REQUEST,
      { send: NULL_LIST },
      { expect: NULL_CHOICE },
      { send: acceptBytes('#a#localhost').subarray(0, 9) },
      { end: true },
    ];
    expect(await failureAt(script)).toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  it('silence has a time limit in every phase', async () => {
    const silences: DaemonStep[][] = [
      [],
      [REQUEST, { send: NULL_LIST.subarray(0, 3) }],
      [REQUEST, { send: NULL_LIST }, { expect: NULL_CHOICE }, { send: Buffer.from([1, 5]) }],
    ];
    for (const script of silences) {
      const error = await failureAt(script, { timeoutMs: 60 });
      expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT' });
      expect(error.message).toContain('60 ms');
    }
  });

  it('an authentication method that never ends has a time limit too', async () => {
    const endless: AuthMethod = { name: 'NULL', authenticate: () => new Promise(() => {}) };
    const error = await failureAt([REQUEST, { send: NULL_LIST }, { expect: NULL_CHOICE }], {
      timeoutMs: 60,
      auth: [endless],
    });
    expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT' });
  });

  it('a signal ends the attempt and closes the connection', async () => {
    const daemon = await scriptedDaemon([[REQUEST, { awaitEnd: true }]]);
    const controller = new AbortController();
    const pending = failure({ address: daemon.address, privateName: 'a', signal: controller.signal });
    await until(() => daemon.received().length > 0);
    controller.abort(new Error('enough'));
    expect(await pending).toMatchObject({ code: 'COULD_NOT_CONNECT', cause: { message: 'enough' } });
    await daemon.finished;
  });

  it('a signal that was aborted before opens no connection', async () => {
    const daemon = await scriptedDaemon([[]]);
    const error = await failure({ address: daemon.address, signal: AbortSignal.abort() });
    expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT' });
    expect(daemon.sockets).toEqual([]);
  });

  it('no process listens', async () => {
    const port = await freePort();
    const error = await failure({ address: `${port}@127.0.0.1` });
    expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT', number: -2 });
    expect(error.message).toContain(`${port}@127.0.0.1`);
    expect(await failure({ address: `${port}@localhost` })).toMatchObject({ code: 'COULD_NOT_CONNECT' });
  });

  it('a socket file that does not exist', async () => {
    const path = join(temporaryFolder(), 'none');
    const error = await failure({ address: path });
    expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT' });
    expect(error.message).toContain(path);
  });

  it.each([
    ['ENOTFOUND', 'ILLEGAL_SPREAD', -1],
    ['EAI_AGAIN', 'COULD_NOT_CONNECT', -2],
  ])('a resolver that fails with %s', async (code, expected, number) => {
    const lookup = (_host: string, _options: unknown, callback: (error: Error) => void): void =>
      callback(Object.assign(new Error(`getaddrinfo ${code} nowhere`), { code }));
    const socketFactory = () => connect({ host: 'nowhere', port: 1, lookup: lookup as never });
    expect(await failure({ address: '4803@nowhere', socketFactory })).toMatchObject({
      code: expected,
      number,
    });
  });

  it.each([0, -1, Number.NaN, 2 ** 31])('a time limit of %s ms', async (timeoutMs) => {
    expect(await failure({ address: '4803@localhost', timeoutMs })).toMatchObject({
      code: 'ILLEGAL_TIME',
      bound: '1..2147483647 ms',
    });
  });

  it.each(['elevenbytes', 'a b', 'a#b', 'é'])('the private name %s', async (privateName) => {
    expect(await failure({ address: '4803@localhost', privateName })).toMatchObject({
      code: 'REJECT_ILLEGAL_NAME',
      field: 'private_name',
    });
  });

  it('a malformed address', async () => {
    expect(await failure({ address: 'localhost:4803' })).toMatchObject({
      code: 'ILLEGAL_SPREAD',
      field: 'daemon',
    });
  });
});
