import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  loadConfig,
  type OptionKey,
  type SidecarConfig,
} from '../../../server/src/config/index.js';
import { optionRows } from '../../../server/src/config/option-rows.js';

const row = (key: OptionKey) => optionRows.find((candidate) => candidate.key === key)!;
const configured = (config: SidecarConfig, key: OptionKey): unknown => {
  const { section, name } = row(key);
  return (config[section] as Readonly<Record<string, unknown>>)[name];
};
const yaml = (key: OptionKey, text: string) => ({
  path: 'sidecar.yaml',
  text: `${row(key).section}:\n  ${row(key).name}: ${text}\n`,
});

interface Sample {
  readonly text: string;
  readonly inFile?: string;
  readonly value: unknown;
  /** Other options that it requires. */
  readonly beside?: Readonly<Partial<Record<OptionKey, string>>>;
}

/**
 * A value other than the default: its text in flag and environment, its form in the file, and its parsed
 * value.
 */
const samples: Record<OptionKey, Sample> = {
  'grpc.listen': {
    text: '[::1]:0,unix:/run/x.sock',
    inFile: "['[::1]:0', unix:/run/x.sock]",
    value: [
      { kind: 'tcp', host: '::1', port: 0 },
      { kind: 'unix', path: '/run/x.sock' },
    ],
  },
  'grpc.socketMode': { text: '0600', value: 0o600 },
  'grpc.socketGroup': { text: 'staff', value: 'staff' },
  'grpc.tlsCert': { text: '/tls/tls.crt', value: '/tls/tls.crt' },
  'grpc.tlsKey': { text: '/tls/tls.key', value: '/tls/tls.key', beside: { 'grpc.tlsCert': '/tls/tls.crt' } },
  'grpc.tlsClientCa': {
    text: '/tls/ca.crt',
    value: '/tls/ca.crt',
    beside: { 'grpc.tlsCert': '/tls/tls.crt' },
  },
  'grpc.tokens': {
    text: '0123456789abcdef,fedcba9876543210',
    inFile: '[0123456789abcdef, fedcba9876543210]',
    value: ['0123456789abcdef', 'fedcba9876543210'],
  },
  'grpc.tokenFile': { text: '/run/secrets/tokens', value: '/run/secrets/tokens' },
  'grpc.reloadInterval': { text: '1m', value: 60_000 },
  'grpc.insecure': { text: 'true', value: true },
  'daemon.auth': { text: 'ip', value: 'ip' },
  'grpc.reflection': { text: 'false', value: false },
  'grpc.maxReceiveMessageBytes': { text: '8MiB', value: 8_388_608 },
  'grpc.maxConcurrentStreams': { text: '100', value: 100 },
  'memory.limit': { text: '512MiB', value: 536_870_912 },
  'mailbox.totalSendQueueMaxBytes': { text: '8MiB', value: 8_388_608 },
  'limits.maxUnsentResponseBytes': { text: '8MiB', value: 8_388_608 },
  'embedded.maxQueueBytes': { text: '8MiB', value: 8_388_608 },
  'admin.listen': { text: 'off', value: 'off' },
  'admin.quitquitquit': { text: 'true', value: true },
  'admin.failureInjection': { text: 'true', value: true },
  'admin.token': { text: '0123456789abcdef', value: '0123456789abcdef' },
  'admin.tokenFile': { text: '/run/secrets/token', value: '/run/secrets/token' },
  'daemon.addresses': {
    text: '4803@a,4803@::1',
    inFile: '[4803@a, "4803@::1"]',
    value: ['4803@a', '4803@::1'],
  },
  'daemon.allow': { text: '4804', inFile: '[4804]', value: ['4804'] },
  'daemon.connectTimeout': { text: '5s', value: 5000 },
  'daemon.maxGroupsPerMessage': { text: '100', value: 100 },
  'daemon.monitorBackoffMin': { text: '250ms', value: 250 },
  'daemon.monitorBackoffMax': { text: '30s', value: 30_000 },
  'embedded.enabled': { text: 'true', value: true },
  'embedded.name': { text: 'node1', value: 'node1' },
  'embedded.listen': { text: '0.0.0.0:0', value: { kind: 'tcp', host: '0.0.0.0', port: 0 } },
  'embedded.socket': { text: '/tmp/spread.sock', value: '/tmp/spread.sock' },
  'embedded.maxSessions': { text: '5000', value: 5000 },
  'embedded.maxSessionMessages': { text: '50', value: 50 },
  'mailbox.privateNameSeed': {
    text: '0f8fad5b-d9cb-469f-a165-70867728950e',
    value: '0f8fad5b-d9cb-469f-a165-70867728950e',
  },
  'mailbox.leaseDefault': { text: '1m', value: 60_000 },
  'mailbox.leaseMin': { text: '500ms', value: 500 },
  'mailbox.leaseMax': { text: '10m', value: 600_000 },
  'mailbox.queueMaxEvents': { text: '5', value: 5 },
  'mailbox.queueMaxBytes': { text: '1MiB', value: 1_048_576 },
  'mailbox.replayWindow': { text: '0', value: 0 },
  'mailbox.overflow': { text: 'disconnect', value: 'disconnect' },
  'mailbox.slowNotice': { text: '0.5', value: 0.5 },
  'mailbox.softLimit': { text: '0.25', value: 0.25 },
  'mailbox.softLimitTime': { text: '30s', value: 30_000 },
  'mailbox.reconnectGiveUpDefault': { text: '30s', value: 30_000 },
  'mailbox.reconnectGiveUpMax': { text: '2h', value: 7_200_000 },
  'mailbox.reconnectNameWait': { text: '0s', value: 0 },
  'mailbox.reconnectBackoffMin': { text: '50ms', value: 50 },
  'mailbox.reconnectBackoffMax': { text: '5s', value: 5000 },
  'mailbox.maxMailboxes': { text: '3', value: 3 },
  'mailbox.totalQueueMaxBytes': { text: '2GiB', value: 2 ** 31 },
  'mailbox.sendQueueMaxBytes': { text: '1MiB', value: 1_048_576 },
  'mailbox.headers': { text: 'off', value: 'off' },
  'mailbox.maxGroups': { text: '7', value: 7 },
  'receive.batchMaxBytes': { text: '64KiB', value: 65_536 },
  'receive.heartbeatMin': { text: '1s', value: 1000 },
  'receive.heartbeatDefault': { text: '15s', value: 15_000 },
  'drain.delay': { text: '20s', value: 20_000 },
  'limits.maxConnections': { text: '10', value: 10 },
  'limits.maxConnectionIdle': { text: '5m', value: 300_000 },
  'limits.maxConnectionAge': { text: '8h', value: 28_800_000 },
  'limits.maxConnectionAgeGrace': { text: '5s', value: 5000 },
  'limits.maxControlFrames': { text: '50', value: 50 },
  'limits.requestTimeout': { text: '5s', value: 5000 },
  'limits.stallTimeout': { text: '10s', value: 10_000 },
  'limits.maxBufferedRequestBytes': { text: '64MiB', value: 67_108_864 },
  'limits.compressedRequests': { text: 'true', value: true },
  'limits.maxMetadataBytes': { text: '8KiB', value: 8192 },
  'limits.maxCalls': { text: '100', value: 100 },
  'limits.maxCallsPerClient': { text: '10', value: 10 },
  'limits.maxCallsPerSecond': { text: '50', value: 50 },
  'limits.maxMessagesPerSecond': { text: '1000', value: 1000 },
  'limits.maxBatchMessages': { text: '500', value: 500 },
  'limits.maxMailboxesPerClient': { text: '5', value: 5 },
  'drain.grace': { text: '0s', value: 0 },
  'log.level': { text: 'debug', value: 'debug' },
  'log.format': { text: 'json', value: 'json' },
  'tracing.exporter': { text: 'otlp-grpc', value: 'otlp-grpc' },
  'tracing.endpoint': { text: 'http://collector:4317', value: 'http://collector:4317' },
  'tracing.sampleRatio': { text: '0.25', value: 0.25 },
};

describe.each(Object.entries(samples) as [OptionKey, (typeof samples)[OptionKey]][])('%s', (key, sample) => {
  const { flag, environment } = row(key);
  const env = Object.fromEntries(
    Object.entries(sample.beside ?? {}).map(([other, text]) => [row(other as OptionKey).environment, text]),
  );

  it(flag === undefined ? 'has no flag' : 'from a flag', async () => {
    if (flag === undefined) return expect(row(key).secret).toBe(true);
    const { config, sources } = await loadConfig({ flags: { [flag]: sample.text }, env });
    expect(configured(config, key)).toEqual(sample.value);
    expect(sources[key]).toEqual({ kind: 'flag', name: flag });
  });

  it('from the environment', async () => {
    const { config, sources } = await loadConfig({ env: { ...env, [environment]: sample.text } });
    expect(configured(config, key)).toEqual(sample.value);
    expect(sources[key]).toEqual({ kind: 'environment', name: environment });
  });

  it('from the file', async () => {
    const file = yaml(key, sample.inFile ?? sample.text);
    const { config, sources } = await loadConfig({ file, env });
    expect(configured(config, key)).toEqual(sample.value);
    expect(sources[key]).toEqual({
      kind: 'file',
      path: 'sidecar.yaml',
      line: 2,
      column: row(key).name.length + 5,
    });
  });

  it('has a default that is another value', async () => {
    const { config, sources } = await loadConfig();
    expect(configured(config, key)).not.toEqual(sample.value);
    expect(sources[key]).toEqual({ kind: 'default' });
  });
});

describe('ranges', () => {
  const rows: [OptionKey, string | undefined, string, string, string][] = [
    ['grpc.socketMode', '0577', '0600', '0777', '1000'],
    ['grpc.maxReceiveMessageBytes', '262143', '256KiB', '64MiB', '67108865'],
    ['grpc.maxConcurrentStreams', '15', '16', '1000000', '1000001'],
    ['grpc.reloadInterval', '49ms', '50ms', '1h', '3600001ms'],
    ['daemon.connectTimeout', '99ms', '100ms', '2m', '120001ms'],
    ['daemon.maxGroupsPerMessage', '0', '1', '100', '101'],
    ['daemon.monitorBackoffMin', '9ms', '10ms', '1m', '60001ms'],
    ['daemon.monitorBackoffMax', '9ms', '10ms', '10m', '600001ms'],
    ['embedded.name', '', 'a', 'a'.repeat(19), 'a'.repeat(20)],
    ['embedded.maxSessionMessages', '0', '1', '1000000', '1000001'],
    ['mailbox.leaseDefault', '99ms', '100ms', '24h', '86400001ms'],
    ['mailbox.leaseMin', '99ms', '100ms', '24h', '86400001ms'],
    ['mailbox.leaseMax', '99ms', '100ms', '24h', '86400001ms'],
    ['mailbox.queueMaxEvents', '0', '1', '100000000', '100000001'],
    ['mailbox.queueMaxBytes', '262143', '256KiB', '16GiB', '17179869185'],
    ['mailbox.replayWindow', undefined, '0', '1GiB', '1073741825'],
    ['mailbox.slowNotice', '0.09', '0.1', '1', '1.01'],
    ['mailbox.softLimit', '0.009', '0.01', '1', '1.01'],
    ['mailbox.softLimitTime', '99ms', '100ms', '24h', '86400001ms'],
    ['mailbox.maxMailboxes', '0', '1', '100000', '100001'],
    ['mailbox.totalQueueMaxBytes', '262143', '256KiB', '1024GiB', '1099511627777'],
    ['mailbox.sendQueueMaxBytes', '262143', '256KiB', '1GiB', '1073741825'],
    ['mailbox.maxGroups', '0', '1', '100000', '100001'],
    ['receive.batchMaxBytes', '4095', '4KiB', '3MiB', '3145729'],
    ['receive.heartbeatMin', '99ms', '100ms', '1h', '3600001ms'],
    ['receive.heartbeatDefault', '99ms', '100ms', '1h', '3600001ms'],
    ['drain.grace', undefined, '0s', '1h', '3600001ms'],
    ['grpc.listen', '', 'unix:/a', many(16), many(17)],
    ['daemon.addresses', '', '1', numbers(16), numbers(17)],
    ['daemon.allow', undefined, '', numbers(256), numbers(257)],
    ['admin.token', 'x'.repeat(15), 'x'.repeat(16), 'x'.repeat(512), 'x'.repeat(513)],
  ];
  const mistakesOf = async (key: OptionKey, text: string) => {
    const error = await loadConfig({ env: { [row(key).environment]: text } }).catch((e: unknown) => e);
    return error instanceof ConfigError ? error.mistakes.map((mistake) => mistake.message) : [];
  };
  it.each(rows)('%s', async (key, below, min, max, above) => {
    const { type } = row(key);
    // Only the option's own range, without its relations to other options.
    for (const text of [min, max]) expect(() => type.parse(text)).not.toThrow();
    for (const text of [below, above]) {
      if (text === undefined) continue;
      const [message] = await mistakesOf(key, text);
      expect(message).toContain(`${key} must be ${type.expects}; got `);
    }
  });
});

describe('the table', () => {
  it('gives every option its own names', () => {
    for (const names of [optionRows.map((r) => r.flag ?? r.key), optionRows.map((r) => r.environment)])
      expect(new Set(names).size).toBe(optionRows.length);
  });

  it('has names that differ from all Kubernetes Service variables', () => {
    for (const { environment } of optionRows) expect(environment).not.toMatch(/_(HOST|PORT|TCP|ADDR|PROTO)$/);
  });

  it('has the reason for every default', () => {
    for (const { why, text } of optionRows)
      for (const sentence of [why, text]) expect(sentence).toMatch(/[.`]$/);
  });
});

function many(count: number): string {
  return Array.from({ length: count }, (_, i) => `unix:/${i}`).join();
}

function numbers(count: number): string {
  return Array.from({ length: count }, (_, i) => i + 1).join();
}

describe('a default of auto', () => {
  it.each(optionRows.filter((row) => row.default === 'auto').map(({ key, text }) => [key, text]))(
    'is explained in the help of %s',
    (_, text) => expect(text).toMatch(/\bWith auto, /),
  );
});
