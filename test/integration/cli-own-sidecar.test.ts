import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Interruption } from '../../server/src/cli/terminal/interruption.js';
import { type Certificate, TestAuthority } from '../support/network/certificates.js';
import { cli, startCli } from '../support/sidecars/cli.js';
import {
  expectNoSecrets,
  put,
  type SecuredSidecar,
  startSecured,
} from '../support/sidecars/secured-sidecar.js';
import { freePort } from '../support/sidecars/serve-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const TOKEN = 'a-token-of-the-test';

let authority: TestAuthority;
let alice: Certificate;
beforeAll(async () => {
  authority = await TestAuthority.create();
  alice = await authority.client('alice');
});

/** A sidecar, and the environment that its container would have. */
async function startWithEnvironment(
  env: Record<string, string>,
): Promise<{ sidecar: SecuredSidecar; env: Record<string, string> }> {
  const given = {
    GRPC_LISTEN: `127.0.0.1:${await freePort()}`,
    ADMIN_LISTEN: `127.0.0.1:${await freePort()}`,
    ...env,
  };
  const sidecar = await startSecured(given);
  return {
    sidecar,
    env: Object.fromEntries(Object.entries(given).map(([name, value]) => [`SPREAD_SIDECAR_${name}`, value])),
  };
}

async function tlsFiles(certificate: Promise<Certificate>, clientAuthority?: string) {
  const folder = temporaryFolder();
  const { cert, key } = await certificate;
  return {
    GRPC_TLS_CERT: put(join(folder, 'tls.crt'), cert),
    GRPC_TLS_KEY: put(join(folder, 'tls.key'), key),
    ...(clientAuthority === undefined
      ? {}
      : { GRPC_TLS_CLIENT_CA: put(join(folder, 'ca.crt'), clientAuthority) }),
  };
}

const tokenFile = () =>
  put(join(temporaryFolder(), 'tokens'), `# clients\nalice ${TOKEN}\nbob another-token-of-the-test\n`);

/** The kinds of security that a sidecar can have. Each case gives the security part of its environment. */
const SECURITY: [string, () => Promise<Record<string, string>>][] = [
  ['no TLS and no tokens', async () => ({})],
  ['tokens', async () => ({ GRPC_TOKENS: TOKEN })],
  ['a token file', async () => ({ GRPC_TOKEN_FILE: tokenFile() })],
  ['TLS', () => tlsFiles(authority.server())],
  [
    'TLS for another name, and a token file',
    async () => ({
      ...(await tlsFiles(authority.serverNamed('sidecar.example'))),
      GRPC_TOKEN_FILE: tokenFile(),
    }),
  ],
  [
    'TLS and no admin port',
    async () => ({ ...(await tlsFiles(authority.server())), GRPC_TOKENS: TOKEN, ADMIN_LISTEN: 'off' }),
  ],
  [
    'client certificates and tokens, with a Unix socket beside',
    async () => ({
      ...(await tlsFiles(authority.server(), authority.cert)),
      GRPC_TOKENS: TOKEN,
      GRPC_LISTEN: `127.0.0.1:${await freePort()},unix:${join(temporaryFolder(), 'grpc')}`,
    }),
  ],
];

describe("commands in the environment of a sidecar's own process", () => {
  it.each(SECURITY)('healthcheck reaches a sidecar with %s', async (_, security) => {
    const { env, sidecar } = await startWithEnvironment(await security());
    const { exitCode, stdout, stderr } = await cli(['healthcheck', '--daemon'], { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^healthy: /);
    await sidecar.stop();
    expect(await cli(['healthcheck'], { env })).toMatchObject({ exitCode: 1, stdout: '' });
  });

  it.each(SECURITY)('user, send, receive and flood reach a sidecar with %s', async (_, security) => {
    const { env, sidecar } = await startWithEnvironment(await security());
    expect(await cli(['send', 'g', '-m', 'hello'], { env })).toMatchObject({ exitCode: 0 });
    expect(await cli(['receive', 'g', '--wait', '1ms', '--no-views'], { env })).toMatchObject({
      exitCode: 6,
    });
    expect(await cli(['user'], { env, input: 'j g\n' })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('joined'),
    });
    expect(await cli(['flood', '-m', '10', '-q'], { env })).toMatchObject({ exitCode: 0 });
    expectNoSecrets(sidecar, TOKEN);
  });

  it('a target with its own address gets the same trust and token', async () => {
    const { env, sidecar } = await startWithEnvironment({
      ...(await tlsFiles(authority.server())),
      GRPC_TOKENS: TOKEN,
    });
    const target = sidecar.targets[0]!.replace('127.0.0.1', 'localhost');
    expect(await cli(['send', 'g', '-m', 'x', '-t', target], { env })).toMatchObject({ exitCode: 0 });
    expect(await cli(['healthcheck', '-t', target], { env })).toMatchObject({ exitCode: 0 });
  });

  it('another target gets neither the token nor an error for an invalid configuration', async () => {
    const other = await startSecured({ GRPC_TOKENS: TOKEN });
    const env = {
      SPREAD_SIDECAR_GRPC_TOKENS: TOKEN,
      SPREAD_SIDECAR_GRPC_LISTEN: `127.0.0.1:${await freePort()}`,
    };
    const refused = await cli(['send', 'g', '-m', 'x', '-t', other.targets[0]!], { env });
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('CREDENTIAL_MISSING') });
    const broken = { SPREAD_SIDECAR_GRPC_LISTEN: 'nonsense' };
    const { exitCode } = await cli(['healthcheck', '-t', other.targets[0]!], { env: broken });
    expect(exitCode).toBe(0);
  });

  it("options of the command override the sidecar's configuration", async () => {
    const { env } = await startWithEnvironment({
      ...(await tlsFiles(authority.server(), authority.cert)),
      GRPC_TOKENS: TOKEN,
    });
    const pair = put(join(temporaryFolder(), 'client.pem'), `${alice.cert}\n${alice.key}`);
    const withPair = { ...env, SPREAD_SIDECAR_TLS_CERT: pair };
    expect(await cli(['send', 'g', '-m', 'x'], { env: withPair })).toMatchObject({ exitCode: 0 });
    const wrong = {
      ...withPair,
      SPREAD_SIDECAR_TOKEN_FILE: put(join(temporaryFolder(), 't'), 'x'.repeat(16)),
    };
    expect(await cli(['send', 'g', '-m', 'x'], { env: wrong })).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('CREDENTIAL_INVALID'),
    });
    const stranger = await TestAuthority.create('stranger');
    const ca = put(join(temporaryFolder(), 'ca.crt'), stranger.cert);
    expect(await cli(['send', 'g', '-m', 'x', '--tls-ca', ca], { env: withPair })).toMatchObject({
      exitCode: 3,
    });
  });

  it('names what is missing if the sidecar requires a client certificate', async () => {
    const { env } = await startWithEnvironment(await tlsFiles(authority.server(), authority.cert));
    const { exitCode, stderr } = await cli(['send', 'g', '-m', 'x'], { env });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/requires a client certificate.*--tls-cert/),
    });
    // With an admin port, the health check needs no certificate.
    expect(await cli(['healthcheck'], { env })).toMatchObject({ exitCode: 0 });
  });

  it('trusts only the configured certificate', async () => {
    const { env } = await startWithEnvironment({
      ...(await tlsFiles(authority.server())),
      ADMIN_LISTEN: 'off',
    });
    const other = await tlsFiles(authority.server('another'));
    const wrong = {
      ...env,
      SPREAD_SIDECAR_GRPC_TLS_CERT: other.GRPC_TLS_CERT,
      SPREAD_SIDECAR_GRPC_TLS_KEY: other.GRPC_TLS_KEY,
    };
    expect((await cli(['healthcheck'], { env: wrong })).exitCode).toBe(1);
    expect((await cli(['send', 'g', '-m', 'x'], { env: wrong })).exitCode).toBe(3);
  });

  it('check reads certificates and tokens in the same way as serve', async () => {
    const listen = {
      SPREAD_SIDECAR_GRPC_LISTEN: `127.0.0.1:${await freePort()}`,
      SPREAD_SIDECAR_ADMIN_LISTEN: 'off',
      SPREAD_SIDECAR_EMBEDDED_DAEMON: 'true',
      SPREAD_SIDECAR_EMBEDDED_LISTEN: '127.0.0.1:0',
    };
    const files = await tlsFiles(authority.server(), authority.cert);
    const env = {
      ...listen,
      SPREAD_SIDECAR_GRPC_TLS_CERT: files.GRPC_TLS_CERT,
      SPREAD_SIDECAR_GRPC_TLS_KEY: files.GRPC_TLS_KEY,
      SPREAD_SIDECAR_GRPC_TLS_CLIENT_CA: files.GRPC_TLS_CLIENT_CA!,
      SPREAD_SIDECAR_GRPC_TOKEN_FILE: tokenFile(),
      SPREAD_SIDECAR_TARGET: 'unix:/nowhere',
      SPREAD_SIDECAR_TOKEN_FILE: '/nowhere',
    };
    const well = await cli(['check'], { env });
    expect(well).toMatchObject({ exitCode: 0, stderr: '' });
    expect(well.stdout).toMatch(/^ok {3}TLS: the certificate is valid until \d{4}-/m);
    expect(well.stdout).toContain('ok   client tokens: 2 in ');
    const wrong = { ...env, SPREAD_SIDECAR_GRPC_TLS_KEY: files.GRPC_TLS_CLIENT_CA! };
    const broken = await cli(['check'], { env: wrong });
    expect(broken.exitCode).toBe(2);
    expect(broken.stdout).toMatch(/^FAIL TLS: grpc\.tlsCert is not usable/m);
  });
});

/** Starts `serve` with this environment. The command ends with the test. */
async function startServe(env: Record<string, string>, ...args: string[]) {
  const all = {
    EMBEDDED_DAEMON: 'true',
    EMBEDDED_LISTEN: 'off',
    EMBEDDED_SOCKET: join(temporaryFolder(), 'spread'),
    GRPC_LISTEN: `127.0.0.1:${await freePort()}`,
    ADMIN_LISTEN: '127.0.0.1:0',
    ...env,
  };
  const prefixed = Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`SPREAD_SIDECAR_${name}`, value]),
  );
  return startCli(['serve', ...args], { env: prefixed });
}

/** The command lines that the banner recommends. */
function suggested(stdout: string): string[] {
  const line = /^ {2}npx spread-sidecar send cats -m hello(.*)$/m.exec(stdout)?.[1] ?? '';
  return line.split(' ').filter((word) => word !== '');
}

describe('the commands that serve prints', () => {
  it.each<[string, () => Promise<Record<string, string>>]>([
    ['a token file', async () => ({ GRPC_TOKEN_FILE: tokenFile() })],
    ['TLS', () => tlsFiles(authority.server())],
    [
      'TLS for another name, and a token file',
      async () => ({
        ...(await tlsFiles(authority.serverNamed('*.sidecar.example'))),
        GRPC_TOKEN_FILE: tokenFile(),
      }),
    ],
    [
      'client certificates, with a Unix socket beside',
      async () => ({
        ...(await tlsFiles(authority.server(), authority.cert)),
        GRPC_LISTEN: `127.0.0.1:${await freePort()},unix:${join(temporaryFolder(), 'grpc')}`,
      }),
    ],
  ])('run unchanged, with %s', async (_, security) => {
    const running = await startServe(await security(), '--log-format', 'pretty');
    await until(() => running.stdout.includes('send cats'));
    const { exitCode, stderr } = await cli(['send', 'cats', '-m', 'hello', ...suggested(running.stdout)]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'sent 5 bytes to cats\n' });
  });

  it("contain placeholders for the reader's own values, and never a token", async () => {
    const files = await tlsFiles(authority.server(), authority.cert);
    const running = await startServe({ ...files, GRPC_TOKENS: TOKEN }, '--log-format', 'pretty');
    await until(() => running.stdout.includes('send cats'));
    expect(running.stdout).toContain(' --tls-cert CLIENT.pem --tls-key CLIENT.key --token-file TOKEN_FILE\n');
    expect(running.stdout).toContain('TOKEN_FILE is a file whose first line is a token of grpc.tokens.');
    expect(running.stdout).not.toContain(TOKEN);
    const token = put(join(temporaryFolder(), 'token'), `${TOKEN}\n`);
    const pair = put(join(temporaryFolder(), 'alice.pem'), `${alice.cert}\n${alice.key}`);
    const filled = suggested(running.stdout).map((word) =>
      word === 'TOKEN_FILE' ? token : word.startsWith('CLIENT') ? pair : word,
    );
    expect((await cli(['send', 'cats', '-m', 'hello', ...filled])).exitCode).toBe(0);
  });
});

describe('serve with a log in JSON', () => {
  it.each([[['--log-format', 'json']], [[]]])('writes JSON only, with one start record: %j', async (args) => {
    const files = await tlsFiles(authority.server());
    const running = await startServe({ ...files, GRPC_TOKEN_FILE: tokenFile(), LOG_LEVEL: 'debug' }, ...args);
    await until(() => running.stderr.includes('"started"'));
    const records = () =>
      running.stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    const [target] = records().find(({ msg }) => msg === 'started').grpc;
    expect(records().filter(({ msg }) => msg === 'started')).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        msg: 'started',
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        grpc: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
        admin: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        embeddedDaemon: true,
        daemons: [expect.stringMatching(/spread$/)],
        daemonUp: true,
        security: {
          tls: true,
          clientCertificates: false,
          clientTokens: true,
          adminCredential: false,
          insecure: false,
        },
      },
    ]);
    const ca = put(join(temporaryFolder(), 'ca.crt'), authority.cert);
    const token = put(join(temporaryFolder(), 'token'), `alice ${TOKEN}\n`);
    await cli(['send', 'g', '-m', 'x', '-t', target, '--tls-ca', ca, '--token-file', token]);
    expect(records().find(({ msg }) => msg === 'mailbox opened')).toMatchObject({
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      identity: 'client:alice',
    });
    running.stop(new Interruption('SIGTERM', 143));
    expect(await running.exitCode).toBe(0);
    expect(running.stdout).toBe('');
    expect(records().at(-1)).toMatchObject({ msg: 'stopped' });
    expect(running.stderr).not.toContain(TOKEN);
  });
});
