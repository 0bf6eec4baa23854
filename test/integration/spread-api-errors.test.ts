import { inspect } from 'node:util';
import { AGREED_MESS, SpreadError, type SpreadErrorCode, spreadErrorName } from 'spread-sidecar-client';
import { ServiceType } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { SpreadError as ServerError } from '../../server/src/spread/spread-error.js';
import { next, refused, scriptedWorld, world } from '../support/clients/spread-api.js';
import {
  acceptScript,
  connectRequestBytes,
  type DaemonStep,
  NULL_CHOICE,
} from '../support/daemons/scripted-daemon.js';
import { errorSource } from '../support/docs/error-source.js';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { call } from '../support/sidecars/sidecar-calls.js';
import { until } from '../support/until.js';

/** The error has Spread's name and number, and the matching gRPC status. */
function expectCode(error: SpreadError, code: SpreadErrorCode): void {
  expect(error).toBeInstanceOf(SpreadError);
  const { number, status } = errorSource.spread.find(({ name }) => name === code)!;
  expect({ code: error.code, number: error.number, status: error.statusName }).toEqual({
    code,
    number,
    status,
  });
}

/** Connect fails when the daemon behaves like this. */
async function connectError(script: readonly DaemonStep[]): Promise<SpreadError> {
  const { spread } = await scriptedWorld([script]);
  return refused(spread.connect({ privateName: 'a' }));
}

/** The daemon responds to the connect request with a negative code. */
const reject = (byte: number): DaemonStep[] => [
  { expect: connectRequestBytes('a') },
  { send: Buffer.from([byte]) },
  { end: true },
];

/** A mailbox that has lost its daemon. */
async function orphan() {
  const { spread } = await scriptedWorld([[...acceptScript('a'), { end: true }]]);
  const mailbox = await spread.connect({ privateName: 'a' });
  await until(async () => (await mailbox.poll()).state === 'ENDED');
  return mailbox;
}

describe('errors of Connect', () => {
  it('ILLEGAL_SPREAD: a malformed Spread name', async () => {
    const { spread } = await world();
    expectCode(await refused(spread.connect({ spreadName: '0@localhost' })), 'ILLEGAL_SPREAD');
  });

  it('COULD_NOT_CONNECT: no daemon listens at the address', async () => {
    const gone = await world();
    await gone.running.stop();
    const { spread } = await world({ daemons: [gone.running.daemonAddress] });
    const error = await refused(spread.connect());
    expectCode(error, 'COULD_NOT_CONNECT');
    expect(error.retryable).toBe(true);
  });

  it('REJECT_QUOTA: the daemon has reached its limit of sessions', async () => {
    const { spread } = await world({ embedded: { maxSessions: 1 } });
    await spread.connect();
    expectCode(await refused(spread.connect()), 'REJECT_QUOTA');
  });

  it('REJECT_NO_NAME: is forwarded from the daemon', async () => {
    expectCode(await connectError(reject(0xfc)), 'REJECT_NO_NAME');
  });

  it('REJECT_ILLEGAL_NAME: a name of eleven characters', async () => {
    const { spread } = await world();
    expectCode(await refused(spread.connect({ privateName: 'elevenchars' })), 'REJECT_ILLEGAL_NAME');
  });

  it('REJECT_NOT_UNIQUE: the name is in use', async () => {
    const { spread } = await world();
    await spread.connect({ privateName: 'alice' });
    expectCode(await refused(spread.connect({ privateName: 'alice' })), 'REJECT_NOT_UNIQUE');
  });

  it('REJECT_VERSION: is forwarded from the daemon', async () => {
    expectCode(await connectError(reject(0xf9)), 'REJECT_VERSION');
  });

  it('REJECT_AUTH: the daemon requires another method, or rejects the client', async () => {
    const request: DaemonStep = { expect: connectRequestBytes('a') };
    expectCode(await connectError([request, { send: Buffer.from('\x03IP ', 'latin1') }]), 'REJECT_AUTH');
    const refusing = [
      request,
      { send: Buffer.from('\x05NULL ', 'latin1') },
      { expect: NULL_CHOICE },
      { send: Buffer.from([0xf7]) },
    ];
    expectCode(await connectError(refusing), 'REJECT_AUTH');
  });
});

describe('errors of a mailbox', () => {
  it('CONNECTION_CLOSED: Receive ends with it after the last event', async () => {
    const mailbox = await orphan();
    expectCode(await refused(mailbox.receive()), 'CONNECTION_CLOSED');
  });

  it('NET_ERROR_ON_SESSION: a call on a mailbox whose daemon connection is closed', async () => {
    const mailbox = await orphan();
    const error = await refused(mailbox.multicast(AGREED_MESS, 'room', 'late'));
    expectCode(error, 'NET_ERROR_ON_SESSION');
    expect(error.outcome).toBe('not-sent');
  });

  it('ILLEGAL_SESSION: an unknown mailbox', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    await mailbox.disconnect();
    expectCode(await refused(mailbox.poll()), 'ILLEGAL_SESSION');
  });

  it('ILLEGAL_SERVICE: detected by the client, and by the sidecar', async () => {
    const { running, spread } = await world();
    const mailbox = await spread.connect();
    expectCode(await refused(mailbox.multicast(3, 'room', '')), 'ILLEGAL_SERVICE');
    const message = { serviceType: ServiceType.UNSPECIFIED, groups: ['room'] };
    const failure = await failureOf(call(running.client, 'multicast', { mailboxId: mailbox.id, message }));
    expect(failure.info).toMatchObject({ reason: 'ILLEGAL_SERVICE', metadata: { spread_code: '-12' } });
  });

  it('ILLEGAL_MESSAGE: a message type beyond 16 bits', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    expectCode(await refused(mailbox.multicast(AGREED_MESS, 'room', '', 32_768)), 'ILLEGAL_MESSAGE');
  });

  it('ILLEGAL_GROUP: no group, a malformed one, too many', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    expectCode(await refused(mailbox.join('a'.repeat(32))), 'ILLEGAL_GROUP');
    for (const groups of [[], ['no blanks'], Array.from({ length: 44 }, (_, i) => `g${i}`)])
      expectCode(await refused(mailbox.multigroupMulticast(AGREED_MESS, groups, '')), 'ILLEGAL_GROUP');
  });

  it('MESSAGE_TOO_LONG: one byte more than the daemon can carry', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    const error = await refused(mailbox.multicast(AGREED_MESS, 'room', Buffer.alloc(143_120)));
    expectCode(error, 'MESSAGE_TOO_LONG');
  });

  it('BUFFER_TOO_SHORT: cannot occur; the longest message arrives complete', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    await mailbox.multicast(AGREED_MESS, mailbox.privateGroup, Buffer.alloc(143_119));
    expect((await next(mailbox, 'regular')).payload).toHaveLength(143_119);
  });

  it('GROUPS_TOO_SHORT: cannot occur; all groups arrive', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    const groups = [...Array.from({ length: 42 }, (_, i) => `g${i}`), mailbox.privateGroup];
    await mailbox.multigroupMulticast(AGREED_MESS, groups, '');
    expect((await next(mailbox, 'regular')).groups).toEqual(groups);
  });

  it('SP_BUG: a defect is reported as INTERNAL, with the ID of its log entry', async () => {
    const { running } = await world();
    running.registry.get = () => {
      throw new ServerError('SP_BUG', 'secret');
    };
    const failure = await failureOf(call(running.client, 'poll', { mailboxId: 'any' }));
    expect(failure.code).toBe(13);
    expect(failure.info).toMatchObject({ reason: 'INTERNAL', domain: 'spread-sidecar' });
    expect(failure.info?.metadata.log_id).toMatch(/^[0-9a-f]{16}$/);
    expect(inspect(failure)).not.toContain('secret');
    expect(running.defects.splice(0)).toHaveLength(1);
  });

  it('ILLEGAL_TIME: the client rejects an invalid time limit', async () => {
    const { spread } = await world();
    const error = await refused(spread.connect({ timeoutMs: -1 }));
    expect(error).toMatchObject({ reason: 'FIELD_INVALID', statusName: 'INVALID_ARGUMENT' });
    expect(error.metadata.field).toBe('timeoutMs');
  });
});

describe('reports of errors', () => {
  it('SP_strerror: every error has a message, and a name for its number', async () => {
    const { spread } = await world();
    const error = await refused((await spread.connect()).join('no blanks'));
    expect(error.message).toMatch(/group/);
    expect(spreadErrorName(error.number!)).toBe('ILLEGAL_GROUP');
  });

  it('SP_error: printing an error shows name, number and message', async () => {
    const { spread } = await world();
    const error = await refused((await spread.connect()).join('no blanks'));
    const printed = inspect(error);
    for (const part of ['SpreadError', 'ILLEGAL_GROUP', '-14', error.message])
      expect(printed).toContain(part);
  });

  it('SpreadError: number and message of Spread errors, a reason for every other error', async () => {
    const { spread } = await world();
    const mailbox = await spread.connect();
    const ofSpread = await refused(mailbox.join(''));
    expect([ofSpread.number, typeof ofSpread.message]).toEqual([-14, 'string']);
    const ofSidecar = await refused(mailbox.view('hall'));
    expect([ofSidecar.number, ofSidecar.reason]).toEqual([undefined, 'NO_VIEW']);
  });
});
