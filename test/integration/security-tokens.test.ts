import { join } from 'node:path';
import { Metadata, status } from '@grpc/grpc-js';
import { AGREED_MESS, type SidecarOptions, type SpreadSidecar } from 'spread-sidecar-client';
import { ReceiveRequest } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { expectNoSecrets, failure, put, startSecured } from '../support/sidecars/secured-sidecar.js';
import { call, message, Receiving, Sending } from '../support/sidecars/sidecar-calls.js';
import { temporaryFolder } from '../support/tmp.js';
import { until, within } from '../support/until.js';

const ALICE = 'alice-token-0123456789';
const ALICE_NEXT = 'alice-next-token-9876543210';
const BOB = 'bob-token-0123456789abc';
const ADMIN = 'admin-token-0123456789';

describe('client tokens', () => {
  const withTokens = () =>
    startSecured({ GRPC_TOKENS: `${ALICE},${BOB}`, ADMIN_TOKEN: ADMIN, GRPC_REFLECTION: 'true' });

  it.each<[string, SidecarOptions, string]>([
    ['no token', {}, 'CREDENTIAL_MISSING'],
    ['a wrong token', { token: 'wrong-token-0123456789' }, 'CREDENTIAL_INVALID'],
    ['a part of a token', { token: ALICE.slice(0, -1) }, 'CREDENTIAL_INVALID'],
    ['the admin token', { token: ADMIN }, 'CREDENTIAL_INVALID'],
    ['another scheme', { headers: { authorization: `Basic ${ALICE}` } }, 'CREDENTIAL_INVALID'],
    ['an empty token', { headers: { authorization: 'Bearer' } }, 'CREDENTIAL_INVALID'],
  ])('%s is rejected: every kind of call', async (_, options, reason) => {
    const sidecar = await withTokens();
    const owner = await sidecar.client({ token: ALICE }).connect();
    const stranger = sidecar.client(options);
    const refused = { statusName: 'UNAUTHENTICATED', reason, domain: 'spread-sidecar' };
    expect(await failure(stranger.connect())).toMatchObject(refused);
    expect(await failure(stranger.version())).toMatchObject(refused);
    expect(await failure(stranger.attach(owner.id))).toMatchObject(refused);
    await until(async () => (await sidecar.metrics()).includes(`refused_total{reason="${reason}"} 3`), {
      what: 'the refusals are counted',
    });
    expect(sidecar.log()).toContain(`"reason":"${reason}"`);
    expectNoSecrets(sidecar, ALICE, BOB, ADMIN, 'wrong-token', owner.id);
  });

  it('give access, from a function that is called each time', async () => {
    const sidecar = await withTokens();
    let tokenCalls = 0;
    const mailbox = await sidecar
      .client({
        token: async () => {
          tokenCalls++;
          return `${BOB}\n`;
        },
      })
      .connect();
    await mailbox.join('g', { awaitView: true });
    const sender = mailbox.sender();
    await sender.send(AGREED_MESS, 'g', 'hello');
    await sender.close();
    for await (const event of mailbox) if (event.kind === 'regular') break;
    // Connect, Join, MulticastStream, Receive.
    expect(tokenCalls).toBeGreaterThanOrEqual(4);
  });

  it('are rejected by ListMailboxes, which requires the admin token', async () => {
    const sidecar = await withTokens();
    await sidecar.client({ token: ALICE }).connect();
    const list = async (client: SpreadSidecar, token: string) => {
      const found = [];
      for await (const mailbox of client.listMailboxes(token)) found.push(mailbox);
      return found.length;
    };
    expect(await list(sidecar.client(), ADMIN)).toBe(1);
    for (const token of [ALICE, 'nonsense-nonsense'])
      expect(await failure(list(sidecar.client(), token))).toMatchObject({
        statusName: 'PERMISSION_DENIED',
        reason: 'ADMIN_ONLY',
      });
    expect(await sidecar.metrics()).toContain('refused_total{reason="ADMIN_ONLY"} 2');
  });

  it('are required by reflection, not by health', async () => {
    const sidecar = await withTokens();
    const client = sidecar.rawClient();
    const bytes = (value: Buffer) => value;
    const check = (headers: Metadata) =>
      new Promise((resolve, reject) => {
        const settle = (error: unknown, answer: unknown) => (error ? reject(error) : resolve(answer));
        client.makeUnaryRequest(
          '/grpc.health.v1.Health/Check',
          bytes,
          bytes,
          Buffer.alloc(0),
          headers,
          settle,
        );
      });
    // SERVING
    expect(await check(new Metadata())).toEqual(Buffer.from([0x08, 0x01]));
    const reflect = (headers: Metadata) => {
      const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
      const stream = client.makeBidiStreamRequest(path, bytes, bytes, headers);
      stream.on('error', () => {});
      stream.end(Buffer.from([0x3a, 0x00]));
      stream.resume();
      return new Promise((resolve) => stream.once('status', ({ code }) => resolve(code)));
    };
    expect(await reflect(new Metadata())).toBe(status.UNAUTHENTICATED);
    const headers = new Metadata();
    headers.set('authorization', `Bearer ${ALICE}`);
    expect(await reflect(headers)).toBe(status.OK);
  });

  it('that a function cannot provide, or that are invalid, end the call', async () => {
    const sidecar = await withTokens();
    const broken: SidecarOptions['token'][] = [
      () => {
        throw new Error('no vault');
      },
      () => Promise.reject(new Error('no vault')),
      'line\nbreak',
    ];
    for (const token of broken)
      expect(await failure(sidecar.client({ token }).version())).toMatchObject({
        statusName: 'UNAUTHENTICATED',
        message: expect.stringMatching(/no vault|visible ASCII characters/),
      });
  });
});

describe('a mailbox of another client', () => {
  it('does not exist for others: each call fails as for an unknown ID', async () => {
    const sidecar = await startSecured({ GRPC_TOKENS: `${ALICE},${BOB}` });
    const owner = await sidecar.client({ token: ALICE }).connect({ privateName: 'owner' });
    const thief = sidecar.rawClient();
    const metadata = { authorization: `Bearer ${BOB}` };
    const methods = ['join', 'leave', 'multicast', 'acknowledge', 'poll', 'getMailbox', 'getView'] as const;
    const answers = async (mailboxId: string) => {
      const found: unknown[] = [];
      for (const method of methods) {
        const request = { mailboxId, group: 'g', message: message('g', 'x') };
        const { code, details, info } = await failureOf(call(thief, method, request, { metadata }));
        found.push([method, code, details, info]);
      }
      const headers = new Metadata();
      headers.set('authorization', metadata.authorization);
      const receiving = new Receiving(thief.receive(ReceiveRequest.fromPartial({ mailboxId }), headers));
      const sending = new Sending(thief.multicastStream(headers), mailboxId);
      for (const stream of [receiving, sending]) {
        const { code, details, info } = await stream.failure();
        found.push(['stream', code, details, info]);
      }
      return found;
    };
    const his = await answers(owner.id);
    expect(his).toEqual(await answers('f'.repeat(32)));
    for (const answer of his)
      expect(answer).toMatchObject({ 1: status.NOT_FOUND, 3: { reason: 'ILLEGAL_SESSION' } });
    const disconnected = await call(thief, 'disconnect', { mailboxId: owner.id }, { metadata });
    expect(disconnected.wasOpen).toBe(false);
    expect((await owner.info()).state).toBe('OPEN');
    expect(await sidecar.metrics()).toContain('refused_total{reason="FOREIGN_MAILBOX"} 10');
    expect(sidecar.log()).toContain('#owner#localhost');
    expectNoSecrets(sidecar, owner.id, ALICE, BOB);
  });

  it('stays hidden after its lease has expired', async () => {
    const sidecar = await startSecured({ GRPC_TOKENS: `${ALICE},${BOB}`, MAILBOX_LEASE_MIN: '100ms' });
    // Without the client, which keeps its mailboxes alive.
    const lease = { seconds: 0n, nanos: 1e8 };
    const metadata = { authorization: `Bearer ${ALICE}` };
    const { mailboxId: id } = await call(sidecar.rawClient(), 'connect', { lease }, { metadata });
    const reasonFor = async (token: string) => (await failure(sidecar.client({ token }).attach(id))).reason;
    await until(() => sidecar.log().includes('LEASE_EXPIRED'), { what: 'the end of the lease' });
    expect(await reasonFor(BOB)).toBe('ILLEGAL_SESSION');
    expect(await reasonFor(ALICE)).toBe('LEASE_EXPIRED');
  });

  it('is the same over TCP and Unix socket for a token, and not without one', async () => {
    for (const tokens of [ALICE, '']) {
      const socket = join(temporaryFolder(), 'grpc');
      const sidecar = await startSecured({ GRPC_LISTEN: `127.0.0.1:0,unix:${socket}`, GRPC_TOKENS: tokens });
      const token = tokens || undefined;
      const { id } = await sidecar.client({ token }).connect();
      const other = sidecar.client({ target: `unix:${socket}`, token });
      if (tokens) expect((await other.attach(id)).id).toBe(id);
      else expect(await failure(other.attach(id))).toMatchObject({ reason: 'ILLEGAL_SESSION' });
    }
  });
});

describe('a file of tokens', () => {
  it('is read again under traffic: new tokens are valid, old ones are not, an invalid file changes nothing', async () => {
    const file = put(join(temporaryFolder(), 'tokens'), `# clients\nalice ${ALICE}\n\nbob ${BOB}\n`);
    const sidecar = await startSecured({ GRPC_TOKEN_FILE: file });
    const alice = sidecar.client({ token: ALICE });
    const mailbox = await alice.connect();
    await mailbox.join('g', { awaitView: true });
    let sent = 0;
    let stopped: unknown;
    const traffic = (async () => {
      try {
        for (;;) {
          await mailbox.multicast(AGREED_MESS, 'g', `${sent}`);
          sent++;
        }
      } catch (error) {
        stopped = error;
      }
    })();
    const bob = await sidecar.client({ token: BOB }).connect();
    const receiving = failure(bob.receive());

    put(file, 'this is no token');
    await until(() => sidecar.log().includes('changed but are not usable'), { what: 'the complaint' });
    expect(stopped).toBeUndefined();
    expect((await mailbox.info()).state).toBe('OPEN');

    put(file, `alice ${ALICE}\nalice ${ALICE_NEXT}\nbob ${BOB}\n`);
    const next = sidecar.client({ token: ALICE_NEXT });
    await until(async () => next.version().catch(() => false), { what: 'the new token' });
    const before = sent;
    await until(() => sent > before + 10, { what: 'traffic goes on' });
    // The identity is the name, independent of its current token.
    const taken = await next.attach(mailbox.id);
    expect((await taken.info()).groups).toEqual(['g']);

    put(file, `alice ${ALICE_NEXT}\n`);
    await traffic;
    expect(stopped).toMatchObject({ statusName: 'UNAUTHENTICATED', reason: 'CREDENTIAL_INVALID' });
    expect(await receiving).toMatchObject({ statusName: 'UNAUTHENTICATED', reason: 'CREDENTIAL_INVALID' });
    expect((await taken.info()).messagesSent).toBeGreaterThanOrEqual(BigInt(sent));
    expect(await sidecar.metrics()).toMatch(
      /credential_loads_total{credential="client-tokens",outcome="success"} 3\n/,
    );
    expectNoSecrets(sidecar, ALICE, ALICE_NEXT, BOB, 'this is no token');
  }, 20_000);

  it('may change for a client with a token function: it receives everything', async () => {
    const file = put(join(temporaryFolder(), 'tokens'), `alice ${ALICE}\n`);
    const sidecar = await startSecured({ GRPC_TOKEN_FILE: file });
    let token = ALICE;
    const mailbox = await sidecar.client({ token: () => token }).connect();
    await mailbox.join('g', { awaitView: true });
    const received: string[] = [];
    const detached: string[] = [];
    mailbox.on('detached', (error) => detached.push(error.reason));
    const reading = (async () => {
      for await (const event of mailbox) if (event.kind === 'regular') received.push(event.text());
    })();
    const say = (text: string) => mailbox.multicast(AGREED_MESS, 'g', text);
    await say('before');
    await until(() => received.length === 1);

    put(file, `alice ${ALICE_NEXT}\n`);
    await until(() => detached.length > 0, { what: 'the stream ends with its token' });
    expect(await failure(say('never'))).toMatchObject({ reason: 'CREDENTIAL_INVALID', outcome: 'not-sent' });
    token = ALICE_NEXT;
    await say('after');
    await until(() => received.length === 2);
    expect(received).toEqual(['before', 'after']);
    expect(detached).toEqual(['CREDENTIAL_INVALID']);
    await mailbox.disconnect();
    await reading;
  });

  it('of admin tokens holds several and is read again', async () => {
    const file = put(join(temporaryFolder(), 'admin'), `${ADMIN}\n${ADMIN}-2\n`);
    const sidecar = await startSecured({ ADMIN_TOKEN_FILE: file });
    const allowed = (token: string) =>
      sidecar
        .client()
        .listMailboxes(token)
        .next()
        .then(
          () => true,
          () => false,
        );
    expect([await allowed(ADMIN), await allowed(`${ADMIN}-2`), await allowed(`${ADMIN}-3`)]).toEqual([
      true,
      true,
      false,
    ]);
    put(file, `${ADMIN}-3\n`);
    await until(() => allowed(`${ADMIN}-3`), { what: 'the new token' });
    expect([await allowed(ADMIN), await allowed(`${ADMIN}-2`)]).toEqual([false, false]);
    expectNoSecrets(sidecar, ADMIN);
  });

  it.each([
    ['nothing', '# only a comment\n', /contains no token/],
    ['a short token', 'secret-word\n', /line 1 must contain a token of 16 to 512/],
    ['a malformed name', `\nal/ice ${ALICE}\n`, /line 2: a name must have/],
    ['three words', `a b ${ALICE}\n`, /line 1 must have only a token, or a name and a token/],
    ['a token twice', `a ${ALICE}\nb ${ALICE}\n`, /contains a token twice/],
  ])('that contains %s stops the start, without showing it', async (_, text, sentence) => {
    const file = put(join(temporaryFolder(), 'tokens'), text);
    const error: Error = await startSecured({ GRPC_TOKEN_FILE: file }).then(
      () => new Error('it started'),
      (thrown) => thrown,
    );
    expect(error.name).toBe('ConfigError');
    expect(error.message).toMatch(sentence);
    expect(error.message).toContain('grpc.tokenFile');
    expect(error.message).not.toMatch(/secret-word|alice-token|al\/ice/);
  });
});

describe('the admin token', () => {
  it('is required by /quitquitquit, and rejections are counted and logged', async () => {
    const sidecar = await startSecured({ ADMIN_TOKEN: ADMIN, ADMIN_QUITQUITQUIT: 'true' });
    const quit = async (headers: Record<string, string>) =>
      (await fetch(`http://${sidecar.admin}/quitquitquit`, { method: 'POST', headers })).status;
    expect(await quit({})).toBe(401);
    expect(await quit({ authorization: `Bearer ${ALICE}` })).toBe(401);
    expect(await quit({ authorization: `Bearer ${ADMIN}`, origin: 'http://evil.example' })).toBe(403);
    expect(await sidecar.metrics()).toContain('refused_total{reason="ADMIN_ONLY"} 3\n');
    expect(await quit({ authorization: `Bearer ${ADMIN}` })).toBe(200);
    await within(sidecar.stopped, 'the end');
    expectNoSecrets(sidecar, ADMIN, ALICE);
  });
});
