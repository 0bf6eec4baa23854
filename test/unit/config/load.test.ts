import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  configFilePath,
  type LoadOptions,
  loadConfig,
} from '../../../server/src/config/index.js';

const file = (text: string) => ({ path: 'sidecar.yaml', text });
const env = (name: string, value: string) => ({ [`SPREAD_SIDECAR_${name}`]: value });

async function mistakes(options: LoadOptions): Promise<string[]> {
  const error = await loadConfig(options).catch((e: unknown) => e);
  if (!(error instanceof ConfigError)) throw new Error('no mistake was found');
  return error.mistakes.map(({ where, message }) => `${where}: ${message}`);
}

describe('precedence', () => {
  const places = {
    file: file('log:\n  level: warn\n'),
    env: env('LOG_LEVEL', 'error'),
    flags: { 'log-level': 'debug' },
  };

  it.each([
    ['flag over all', places, 'debug', 'flag'],
    ['environment over file', { ...places, flags: {} }, 'error', 'environment'],
    ['file over default', { ...places, flags: {}, env: {} }, 'warn', 'file'],
    ['default', {}, 'info', 'default'],
  ] as [string, LoadOptions, string, string][])('%s', async (_, options, level, kind) => {
    const { config, sources } = await loadConfig(options);
    expect([config.log.level, sources['log.level'].kind]).toEqual([level, kind]);
  });

  it('a list replaces the previous one', async () => {
    const { config } = await loadConfig({
      file: file('daemon:\n  addresses: [1, 2]\n'),
      flags: { 'daemon-addresses': ['3'] },
    });
    expect(config.daemon.addresses).toEqual(['3']);
  });

  it('an empty value is a value, a missing one is not', async () => {
    const allow = file('daemon:\n  allow: [1]\n');
    expect((await loadConfig({ file: allow, env: env('DAEMON_ALLOW', '') })).config.daemon.allow).toEqual([]);
    const absent = { SPREAD_SIDECAR_DAEMON_ALLOW: undefined };
    expect((await loadConfig({ file: allow, env: absent })).config.daemon.allow).toEqual(['1']);
    expect(await mistakes({ env: env('LOG_LEVEL', '') })).toEqual([
      'environment SPREAD_SIDECAR_LOG_LEVEL: log.level must be trace, debug, info, warn, error, fatal or silent; got ""',
    ]);
  });
});

describe('flags', () => {
  it.each([
    ['true', true],
    ['false', false],
    [true, true],
    [false, false],
  ])('boolean %j', async (given, value) => {
    const { config } = await loadConfig({ flags: { 'embedded-daemon': given } });
    expect(config.embedded.enabled).toBe(value);
  });

  it('a repeated list flag and commas are one list', async () => {
    const { config } = await loadConfig({ flags: { 'daemon-addresses': ['1,2', '3'] } });
    expect(config.daemon.addresses).toEqual(['1', '2', '3']);
  });

  it.each([
    [
      'no value',
      { 'log-level': true },
      'flag --log-level: log.level needs a value: it must be trace, debug,',
    ],
    [
      'repeated',
      { 'log-level': ['info', 'warn'] },
      'flag --log-level: log.level occurs 2 times; it accepts one',
    ],
    [
      'unknown',
      { 'grpc-listn': 'x' },
      'flag --grpc-listn: unknown flag "--grpc-listn"; did you mean --grpc-listen?',
    ],
    [
      'camel case',
      { grpcListen: 'x' },
      'flag --grpcListen: unknown flag "--grpcListen"; did you mean --grpc-listen?',
    ],
    ['nothing like it', { zzzzzz: 'x' }, 'flag --zzzzzz: unknown flag "--zzzzzz"'],
    ['of Object', { constructor: 'x' }, 'flag --constructor: unknown flag "--constructor"'],
    [
      'of a secret',
      { 'admin-token': 'geheim' },
      'flag --admin-token: admin.token has no flag, because all users',
    ],
  ])('%s', async (_, flags, message) => {
    const [first, ...others] = await mistakes({ flags });
    expect(first).toContain(message);
    expect(first).not.toContain('geheim');
    expect(others).toEqual([]);
  });
});

describe('environment', () => {
  it.each([
    ['GRPC_LISTN', '; did you mean SPREAD_SIDECAR_GRPC_LISTEN?'],
    ['EMBEDDED_ENABLED', '; did you mean SPREAD_SIDECAR_EMBEDDED_NAME?'],
    ['CONFIGG', '; did you mean SPREAD_SIDECAR_CONFIG?'],
    ['ADMIN_PORT', ''],
  ])('unknown variable %s', async (name, advice) => {
    const variable = `SPREAD_SIDECAR_${name}`;
    const [message] = await mistakes({ env: { [variable]: '5' } });
    expect(message).toMatch(`environment ${variable}: unknown variable "${variable}"${advice}`);
  });

  it('ignores variables of other programs', async () => {
    const others = {
      PATH: '/bin',
      SPREAD: 'x',
      SPREAD_SIDECAR_CONFIG: '/etc/sidecar.yaml',
      SPREAD_SIDECAR_TARGET: 'unix:/x',
      // A Kubernetes Service named spread-sidecar, and one named spread-sidecar-admin.
      SPREAD_SIDECAR_SERVICE_HOST: '10.0.0.1',
      SPREAD_SIDECAR_SERVICE_PORT: '4813',
      SPREAD_SIDECAR_SERVICE_PORT_GRPC: '4813',
      SPREAD_SIDECAR_PORT: 'tcp://10.0.0.1:4813',
      SPREAD_SIDECAR_PORT_4813_TCP: 'tcp://10.0.0.1:4813',
      SPREAD_SIDECAR_PORT_4813_TCP_PROTO: 'tcp',
      SPREAD_SIDECAR_PORT_4813_TCP_PORT: '4813',
      SPREAD_SIDECAR_PORT_4813_TCP_ADDR: '10.0.0.1',
      SPREAD_SIDECAR_ADMIN_SERVICE_HOST: '10.0.0.1',
      SPREAD_SIDECAR_ADMIN_PORT: 'tcp://10.0.0.1:4814',
    };
    const { sources } = await loadConfig({ env: others, otherVariables: ['SPREAD_SIDECAR_TARGET'] });
    expect(new Set(Object.values(sources).map(({ kind }) => kind))).toEqual(new Set(['default']));
  });
});

describe('which file', () => {
  it.each([
    [{ config: '/flag' }, { SPREAD_SIDECAR_CONFIG: '/env' }, '/flag'],
    [{}, { SPREAD_SIDECAR_CONFIG: '/env' }, '/env'],
    [{}, {}, undefined],
  ])('%j %j', (flags, environment, path) => expect(configFilePath(flags, environment)).toBe(path));
});

describe('options that contradict each other', () => {
  const rows: [string, Record<string, string>, string][] = [
    [
      'lease below its least',
      { MAILBOX_LEASE_DEFAULT: '500ms' },
      'MAILBOX_LEASE_DEFAULT: mailbox.leaseMin must not be more than mailbox.leaseDefault (mailbox.leaseDefault is 500ms from environment SPREAD_SIDECAR_MAILBOX_LEASE_DEFAULT; mailbox.leaseMin is 1s, the default)',
    ],
    [
      'lease above its most',
      { MAILBOX_LEASE_MAX: '10s' },
      'MAILBOX_LEASE_MAX: mailbox.leaseDefault must not be more than mailbox.leaseMax',
    ],
    [
      'a queue larger than all together',
      { MAILBOX_TOTAL_QUEUE_MAX_BYTES: '32MiB', MAILBOX_QUEUE_MAX_BYTES: '64MiB' },
      'MAILBOX_QUEUE_MAX_BYTES: mailbox.queueMaxBytes must not be more than mailbox.totalQueueMaxBytes',
    ],
    [
      'queues larger than the process',
      { MAILBOX_TOTAL_QUEUE_MAX_BYTES: '512MiB', MEMORY_LIMIT: '256MiB' },
      'MAILBOX_TOTAL_QUEUE_MAX_BYTES: mailbox.totalQueueMaxBytes must not be more than memory.limit',
    ],
    [
      'backoff',
      { DAEMON_MONITOR_BACKOFF_MIN: '2s' },
      'DAEMON_MONITOR_BACKOFF_MIN: daemon.monitorBackoffMin must not be more than daemon.monitorBackoffMax',
    ],
    [
      'heartbeat',
      { RECEIVE_HEARTBEAT_MIN: '5s', RECEIVE_HEARTBEAT_DEFAULT: '1s' },
      'RECEIVE_HEARTBEAT_MIN: receive.heartbeatMin must not be more than receive.heartbeatDefault',
    ],
    [
      'two tokens',
      { ADMIN_TOKEN: '0123456789abcdef', ADMIN_TOKEN_FILE: '/token' },
      'ADMIN_TOKEN: admin.token and admin.tokenFile are both set; set only one of them (admin.token is [redacted] from',
    ],
    [
      'a page of a port that there is not',
      { ADMIN_QUITQUITQUIT: 'true', ADMIN_LISTEN: 'off' },
      'ADMIN_QUITQUITQUIT: admin.quitquitquit needs the admin port; admin.listen must not be off',
    ],
    [
      'failures of a port that there is not',
      { ADMIN_FAILURE_INJECTION: 'true', ADMIN_LISTEN: 'off' },
      'ADMIN_FAILURE_INJECTION: admin.failureInjection needs the admin port; admin.listen must not be off',
    ],
    [
      'two default daemons',
      { EMBEDDED_DAEMON: 'true', DAEMON_ADDRESSES: '4803' },
      'EMBEDDED_DAEMON: the embedded daemon is the default daemon, so daemon.addresses must not be set',
    ],
    [
      'a daemon out of reach',
      { EMBEDDED_DAEMON: 'true', EMBEDDED_LISTEN: 'off', EMBEDDED_SOCKET: 'off' },
      'EMBEDDED_LISTEN: no client could reach the embedded daemon',
    ],
    [
      'a socket without a port to be named after',
      { EMBEDDED_DAEMON: 'true', EMBEDDED_LISTEN: 'off' },
      'EMBEDDED_LISTEN: embedded.socket is auto and needs the port of embedded.listen, which is off',
    ],
    [
      'one port twice',
      { ADMIN_LISTEN: '127.0.0.1:4813' },
      'ADMIN_LISTEN: admin.listen and grpc.listen both have the address 127.0.0.1:4813 (grpc.listen is 127.0.0.1:4813, the default; admin.listen is',
    ],
    [
      'the embedded daemon on the gRPC port',
      { EMBEDDED_DAEMON: 'true', GRPC_LISTEN: '127.0.0.1:4803' },
      'GRPC_LISTEN: embedded.listen and grpc.listen both have the address 127.0.0.1:4803',
    ],
    [
      "the embedded daemon's automatic socket",
      { EMBEDDED_DAEMON: 'true', GRPC_LISTEN: 'unix:/tmp/4803' },
      'GRPC_LISTEN: embedded.socket and grpc.listen both have the address unix:/tmp/4803',
    ],
  ];
  it.each(rows)('%s', async (_, variables, message) => {
    const environment = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [`SPREAD_SIDECAR_${name}`, value]),
    );
    const [first, ...others] = await mistakes({ env: environment });
    expect(first).toContain(`environment SPREAD_SIDECAR_${message}`);
    expect(others).toEqual([]);
  });

  it.each([
    ['free ports are never the same', { GRPC_LISTEN: '127.0.0.1:0', ADMIN_LISTEN: '127.0.0.1:0' }],
    ['what is not enabled takes no port', { GRPC_LISTEN: '127.0.0.1:4803' }],
    [
      'an embedded daemon on a socket alone',
      { EMBEDDED_DAEMON: 'true', EMBEDDED_LISTEN: 'off', EMBEDDED_SOCKET: '/x' },
    ],
    ['further daemons beside the embedded one', { EMBEDDED_DAEMON: 'true', DAEMON_ALLOW: '4803@a' }],
  ])('not: %s', async (_, variables) => {
    const environment = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [`SPREAD_SIDECAR_${name}`, value]),
    );
    await expect(loadConfig({ env: environment })).resolves.toBeDefined();
  });
});

describe('all mistakes together', () => {
  it('from every source, also overridden ones, each with its location', async () => {
    const error = await loadConfig({
      flags: { 'log-level': 'loud', 'grpc-lisen': 'x' },
      env: { ...env('LOG_LEVEL', 'louder'), ...env('DAEMN_ALLOW', ''), ...env('MAILBOX_LEASE_MAX', '10s') },
      file: file('log:\n  level: loudest\nadmin:\n  listen: 4814\n  tokn: geheim\n'),
    }).catch((e: unknown) => e);
    expect(String(error)).toBe(
      [
        'ConfigError: 8 mistakes in the configuration:',
        '  flag --grpc-lisen: unknown flag "--grpc-lisen"; did you mean --grpc-listen?',
        '  environment SPREAD_SIDECAR_DAEMN_ALLOW: unknown variable "SPREAD_SIDECAR_DAEMN_ALLOW"; did you mean SPREAD_SIDECAR_DAEMON_ALLOW?',
        '  sidecar.yaml:5:3: unknown key "tokn" in admin; did you mean token?',
        '  sidecar.yaml:4:11: admin.listen must be an address host:port (IPv6 in brackets, port 0 to 65535), or off; got "4814" (the host is missing; use 127.0.0.1 for this machine only, or 0.0.0.0 for all addresses)',
        '  flag --log-level: log.level must be trace, debug, info, warn, error, fatal or silent; got "loud"',
        '  environment SPREAD_SIDECAR_LOG_LEVEL: log.level must be trace, debug, info, warn, error, fatal or silent; got "louder"',
        '  sidecar.yaml:2:10: log.level must be trace, debug, info, warn, error, fatal or silent; got "loudest"',
        '  environment SPREAD_SIDECAR_MAILBOX_LEASE_MAX: mailbox.leaseDefault must not be more than mailbox.leaseMax (mailbox.leaseDefault is 30s, the default; mailbox.leaseMax is 10s from environment SPREAD_SIDECAR_MAILBOX_LEASE_MAX)',
      ].join('\n'),
    );
  });

  it('never contain a secret', async () => {
    const secret = 'geheim geheim geheim';
    const all = await mistakes({
      env: env('ADMIN_TOKEN', secret),
      file: file(`admin:\n  token: ${secret}\n`),
    });
    expect(all).toEqual([
      'environment SPREAD_SIDECAR_ADMIN_TOKEN: admin.token must be a token of 16 to 512 visible ASCII characters without a comma, or empty; got [redacted] (it contains a space)',
      'sidecar.yaml:2:10: admin.token must be a token of 16 to 512 visible ASCII characters without a comma, or empty; got [redacted] (it contains a space)',
    ]);
  });

  it('truncate long values', async () => {
    const [message] = await mistakes({ env: env('LOG_LEVEL', 'x'.repeat(1000)) });
    expect(message!.length).toBeLessThan(250);
  });

  it('for any input: a configuration or a ConfigError', async () => {
    const texts = fc.oneof(
      fc.string(),
      fc.constantFrom('[', '{', '- ', 'grpc:\n  listen: ', '&a', '*a', '!!x', '|\n', '? '),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { maxLength: 8 }), fc.string(), async (lines, value) => {
        const outcome = await loadConfig({
          file: file(lines.join('')),
          flags: { 'grpc-listen': value, [value]: value },
          env: env(value, value),
        }).catch((e: unknown) => e);
        return outcome instanceof ConfigError || !(outcome instanceof Error);
      }),
      { numRuns: 500 },
    );
  });
});
