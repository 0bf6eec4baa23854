import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AGREED_MESS, type SidecarOptions, type TlsOptions } from 'spread-sidecar-client';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Certificate, TestAuthority } from '../support/network/certificates.js';
import { cli } from '../support/sidecars/cli.js';
import {
  expectNoSecrets,
  failure,
  put,
  type SecuredSidecar,
  startSecured,
} from '../support/sidecars/secured-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';
import { until, within } from '../support/until.js';

let authority: TestAuthority;
let stranger: TestAuthority;
let server: Certificate;
let alice: Certificate;
let bob: Certificate;

beforeAll(async () => {
  authority = await TestAuthority.create();
  stranger = await TestAuthority.create('another authority');
  server = await authority.server();
  alice = await authority.client('alice');
  bob = await authority.client('bob');
});

/** The files of a server, and the options with their paths. */
function place(certificate: Certificate, clientAuthority?: string) {
  const folder = temporaryFolder();
  const paths = {
    cert: put(join(folder, 'tls.crt'), certificate.cert),
    key: put(join(folder, 'tls.key'), certificate.key),
    ca: clientAuthority === undefined ? '' : put(join(folder, 'ca.crt'), clientAuthority),
  };
  const env = { GRPC_TLS_CERT: paths.cert, GRPC_TLS_KEY: paths.key, GRPC_TLS_CLIENT_CA: paths.ca };
  return { folder, paths, env };
}

const tls = (options: TlsOptions = {}): SidecarOptions => ({ tls: { ca: authority.cert, ...options } });

const counted = (sidecar: SecuredSidecar, reason: string) =>
  until(async () => new RegExp(`refused_total\\{reason="${reason}"\\} [1-9]`).test(await sidecar.metrics()), {
    what: `${reason} is counted`,
  });

describe('TLS', () => {
  it('accepts a client that trusts the authority, and presents the certificate', async () => {
    const sidecar = await startSecured(place(server).env);
    const mailbox = await sidecar.client(tls()).connect();
    await mailbox.join('g', { awaitView: true });
    await mailbox.multicast(AGREED_MESS, 'g', 'hello');
    for await (const event of mailbox) if (event.kind === 'regular') break;
    expect(await sidecar.metrics()).toMatch(/tls_certificate_expiry_timestamp_seconds 1\.?\d+/);
    expectNoSecrets(sidecar, mailbox.id);
  });

  it.each<[string, () => SidecarOptions, string | undefined]>([
    ['an authority that is not trusted', () => tls({ ca: stranger.cert }), undefined],
    ['authorities of the system', () => ({ tls: true }), undefined],
    ['another name', () => tls({ serverName: 'elsewhere.example' }), undefined],
    ['no TLS', () => ({}), 'TLS_NOT_TLS'],
    // A client that rejects the server's certificate closes without an error that the sidecar could count.
  ])('rejects a client with %s', async (_, options, reason) => {
    const sidecar = await startSecured(place(server).env);
    const error = await failure(sidecar.client(options()).connect({ timeoutMs: 3000 }));
    expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain(error.statusName);
    if (reason) await counted(sidecar, reason);
    expect((await sidecar.client(tls()).version()).sidecar).toBe('0.0.0-test');
  });

  it('does not respond on a port without TLS', async () => {
    const sidecar = await startSecured({});
    const error = await failure(sidecar.client(tls()).connect({ timeoutMs: 3000 }));
    expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain(error.statusName);
    expect((await sidecar.client().version()).sidecar).toBe('0.0.0-test');
  });

  it.each<[string, object]>([
    ['does not offer HTTP/2', { ALPNProtocols: ['http/1.1'] }],
    ['has no ALPN', {}],
    [
      'speaks TLS 1.1',
      { ALPNProtocols: ['h2'], maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' },
    ],
    ['has only old ciphers', { ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }],
  ])('disconnects a client that %s', async (_, options) => {
    const sidecar = await startSecured(place(server).env);
    const socket = rawTls(sidecar, options);
    await within(new Promise((resolve) => socket.once('close', resolve)), 'the cut');
    await counted(sidecar, 'TLS_PROTOCOL');
  });

  it('presents a new certificate without a restart, under traffic; an invalid one is logged and changes nothing', async () => {
    const { paths, env } = place(server);
    const sidecar = await startSecured(env);
    const mailbox = await sidecar.client(tls()).connect();
    await mailbox.join('g', { awaitView: true });
    let sent = 0;
    let failed: unknown;
    let go = true;
    const traffic = (async () => {
      for (; go; sent++) await mailbox.multicast(AGREED_MESS, 'g', `${sent}`);
    })().catch((error) => {
      failed = error;
    });

    const expired = await authority.server('expired', { from: -3, to: -1 });
    const broken: [string, string, string][] = [
      ['not PEM', 'nonsense', server.key],
      ["another's key", server.cert, alice.key],
      ['expired', expired.cert, expired.key],
      ['no key', server.cert, ''],
    ];
    const complaints = () => sidecar.log().split('changed but are not usable').length - 1;
    for (const [what, cert, key] of broken) {
      const before = complaints();
      put(paths.cert, cert);
      put(paths.key, key);
      await until(() => complaints() > before, { what: `the complaint about: ${what}` });
      expect(await shownName(sidecar)).toBe('sidecar');
    }
    const renewed = await authority.server('renewed');
    put(paths.cert, renewed.cert);
    put(paths.key, renewed.key);
    await until(async () => (await shownName(sidecar)) === 'renewed', { what: 'the new certificate' });

    const before = sent;
    await until(() => sent > before + 10 || failed, { what: 'traffic goes on' });
    go = false;
    await traffic;
    expect(failed).toBeUndefined();
    expect((await sidecar.client(tls()).version()).sidecar).toBe('0.0.0-test');
    expectNoSecrets(sidecar, 'nonsense');
  }, 20_000);

  it.each<[string, () => Certificate | Promise<Certificate>, RegExp]>([
    ['expired', () => authority.server('s', { from: -3, to: -1 }), /the certificate expired at/],
    ['not valid yet', () => authority.server('s', { from: 1, to: 2 }), /valid only from/],
    [
      'without its key',
      () => ({ ...server, key: bob.key }),
      /key in grpc.tlsKey does not belong to the certificate/,
    ],
    ['no key', () => ({ ...server, key: 'hello' }), /set the file of the key in grpc.tlsKey/],
    ['no certificate', () => ({ ...server, cert: 'hello' }), /contains no PEM certificate/],
  ])('does not start with a certificate that is %s', async (_, certificate, sentence) => {
    const error: Error = await startSecured(place(await certificate()).env).then(
      () => new Error('it started'),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ name: 'ConfigError', message: expect.stringMatching(sentence) });
    expect(error.message).not.toContain('-----');
  });

  it('aborts unfinished handshakes when it stops', async () => {
    const sidecar = await startSecured(place(server).env);
    const socket = connectPlain(Number(sidecar.targets[0]!.split(':').at(-1)), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.resume();
    await within(new Promise((resolve) => socket.once('connect', resolve)), 'a connection');
    const cut = new Promise((resolve) => socket.once('close', resolve));
    await within(sidecar.stop(), 'the stop');
    await within(cut, 'the cut');
  });

  it('is supported by the commands', async () => {
    const { folder, env } = place(server, authority.cert);
    const sidecar = await startSecured({ ...env, GRPC_TOKENS: 'a-token-of-the-test' });
    const ca = put(join(folder, 'roots.crt'), authority.cert);
    const pair = put(join(folder, 'client.pem'), `${alice.cert}\n${alice.key}`);
    const token = put(join(folder, 'token'), 'me a-token-of-the-test\n');
    const flags = [
      '--target',
      sidecar.targets[0]!,
      '--tls-ca',
      ca,
      '--tls-cert',
      pair,
      '--token-file',
      token,
    ];
    expect(await cli(['send', 'g', '-m', 'hello', ...flags])).toMatchObject({ exitCode: 0 });
    const environment = {
      SPREAD_SIDECAR_TARGET: sidecar.targets[0]!,
      SPREAD_SIDECAR_TLS_CA: ca,
      SPREAD_SIDECAR_TLS_CERT: pair,
      SPREAD_SIDECAR_TOKEN_FILE: token,
    };
    expect(await cli(['healthcheck'], { env: environment })).toMatchObject({ exitCode: 0 });
    const { exitCode, stderr } = await cli(['send', 'g', '-m', 'hello', ...flags.slice(0, -2)]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 4, stderr: /CREDENTIAL_MISSING/ });
    expectNoSecrets(sidecar, 'a-token-of-the-test');
  });
});

describe('client certificates', () => {
  it.each<[string, () => Promise<TlsOptions>]>([
    ['none', async () => ({})],
    ["another authority's", async () => stranger.client('alice')],
    ['an expired one', async () => authority.client('alice', { from: -3, to: -1 })],
    ['one of a server', async () => authority.server('alice')],
  ])('rejected: %s', async (_, certificate) => {
    const sidecar = await startSecured(place(server, authority.cert).env);
    const error = await failure(sidecar.client(tls(await certificate())).connect({ timeoutMs: 3000 }));
    expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain(error.statusName);
    await counted(sidecar, 'TLS_CLIENT_CERTIFICATE');
    expect(sidecar.log()).toContain('"reason":"TLS_CLIENT_CERTIFICATE"');
    expect(sidecar.log()).toMatch(/"peer":"127\.0\.0\.1:\d+"/);
    expectNoSecrets(sidecar);
  });

  it('identify the owner of a mailbox, over connections and renewals', async () => {
    const sidecar = await startSecured(place(server, authority.cert).env);
    const { id } = await sidecar.client(tls(alice)).connect();
    expect((await sidecar.client(tls(alice)).attach(id)).id).toBe(id);
    const renewed = await authority.client('alice');
    expect((await sidecar.client(tls(renewed)).attach(id)).id).toBe(id);
    expect(await failure(sidecar.client(tls(bob)).attach(id))).toMatchObject({
      statusName: 'NOT_FOUND',
      reason: 'ILLEGAL_SESSION',
    });
  });

  it('of one subject from two authorities are two identities', async () => {
    const both = `${authority.cert}\n${stranger.cert}`;
    const sidecar = await startSecured(place(server, both).env);
    const { id } = await sidecar.client(tls(alice)).connect();
    const namesake = sidecar.client(tls(await stranger.client('alice')));
    expect(await failure(namesake.attach(id))).toMatchObject({
      statusName: 'NOT_FOUND',
      reason: 'ILLEGAL_SESSION',
    });
    expect((await sidecar.client(tls(await authority.client('alice'))).attach(id)).id).toBe(id);
  });

  it('and tokens: a mailbox belongs to both', async () => {
    const token = 'a-token-of-the-test';
    const sidecar = await startSecured({ ...place(server, authority.cert).env, GRPC_TOKENS: token });
    const { id } = await sidecar.client({ ...tls(alice), token }).connect();
    expect((await sidecar.client({ ...tls(alice), token }).attach(id)).id).toBe(id);
    expect(await failure(sidecar.client({ ...tls(bob), token }).attach(id))).toMatchObject({
      reason: 'ILLEGAL_SESSION',
    });
    expect(await failure(sidecar.client(tls(alice)).attach(id))).toMatchObject({
      reason: 'CREDENTIAL_MISSING',
    });
  });

  it('of a new authority are accepted without a restart, those of the old one are rejected', async () => {
    const { paths, env } = place(server, authority.cert);
    const sidecar = await startSecured(env);
    const his = await stranger.client('carol');
    await failure(sidecar.client(tls(his)).version({ timeoutMs: 2000 }));
    put(paths.ca, stranger.cert);
    await until(
      async () =>
        sidecar
          .client(tls(his))
          .version({ timeoutMs: 500 })
          .catch(() => false),
      { what: 'the new authority' },
    );
    await failure(sidecar.client(tls(alice)).version({ timeoutMs: 2000 }));
    put(paths.ca, '');
    await until(() => sidecar.log().includes('changed but are not usable'), { what: 'the complaint' });
    expect((await sidecar.client(tls(his)).version()).sidecar).toBe('0.0.0-test');
  }, 20_000);
});

function rawTls(sidecar: SecuredSidecar, options: object): TLSSocket {
  const port = Number(sidecar.targets[0]!.split(':').at(-1));
  const socket = connectTls({ host: '127.0.0.1', port, ca: authority.cert, ...options });
  socket.on('error', () => {});
  socket.resume();
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** The common name of the certificate that the sidecar presents to a new connection. */
async function shownName(sidecar: SecuredSidecar): Promise<string | undefined> {
  const socket = rawTls(sidecar, { ALPNProtocols: ['h2'] });
  await within(new Promise((resolve) => socket.once('secureConnect', resolve)), 'a handshake');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN as string;
}
