import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../server/src/config/index.js';
import { type Environment, tracingSettings } from '../../../server/src/tracing/tracing-settings.js';

const { tracing } = defaultConfig();
const settings = (config: Partial<typeof tracing>, environment: Environment = {}) =>
  tracingSettings({ ...tracing, ...config }, environment);
const on = (environment: Environment = {}) => settings({ exporter: 'otlp-grpc' }, environment)!;

describe('tracing is off', () => {
  it.each([
    ['by default', {}, {}],
    ['with only an endpoint in the environment', {}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }],
    ['with OTEL_TRACES_EXPORTER=none', {}, { OTEL_TRACES_EXPORTER: 'none' }],
    ['with an empty OTEL_TRACES_EXPORTER', {}, { OTEL_TRACES_EXPORTER: '' }],
    ['if the option overrides the environment', { exporter: 'off' }, { OTEL_TRACES_EXPORTER: 'otlp' }],
    ['with OTEL_SDK_DISABLED=true', { exporter: 'otlp-grpc' }, { OTEL_SDK_DISABLED: 'True' }],
  ] as const)('%s', (_, config, environment) => {
    expect(settings(config, environment)).toBeUndefined();
  });
});

describe('the protocol', () => {
  it.each([
    ['http', {}],
    ['grpc', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    ['http', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }],
    ['http', { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
  ] as const)('is %s with %o', (protocol, environment) => {
    const found = settings({}, { OTEL_TRACES_EXPORTER: 'otlp', ...environment });
    expect(found).toMatchObject({ protocol, problems: [] });
  });

  it('of the option overrides the environment', () => {
    const environment = { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    expect(settings({ exporter: 'otlp-http' }, environment)).toMatchObject({ protocol: 'http' });
  });
});

describe('the address of the collector', () => {
  it.each([
    ['otlp-grpc', '', undefined],
    ['otlp-grpc', 'https://c:4317', 'https://c:4317'],
    ['otlp-http', 'http://c:4318', 'http://c:4318/v1/traces'],
    ['otlp-http', 'http://c/otlp/', 'http://c/otlp/v1/traces'],
  ] as const)('of %s with the endpoint "%s" is %s', (exporter, endpoint, url) => {
    expect(settings({ exporter, endpoint })?.url).toBe(url);
  });
});

describe('the sampler', () => {
  it.each([
    [undefined, undefined, true, 1],
    ['always_on', undefined, false, 1],
    ['parentbased_always_off', undefined, true, 0],
    ['traceidratio', '0.5', false, 0.5],
    ['parentbased_traceidratio', '0.5', true, 0.5],
    ['parentbased_traceidratio', undefined, true, 1],
  ])('%s with the argument %s has the ratio', (sampler, argument, isParentBased, ratio) => {
    const { sampler: found, problems } = on({
      OTEL_TRACES_SAMPLER: sampler,
      OTEL_TRACES_SAMPLER_ARG: argument,
    });
    expect(found).toEqual({ isParentBased, ratio });
    expect(problems).toEqual([]);
  });

  it('of the option overrides the environment and follows the parent', () => {
    const found = settings(
      { exporter: 'otlp-grpc', sampleRatio: 0.1 },
      { OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: 'x' },
    );
    expect(found).toMatchObject({ sampler: { isParentBased: true, ratio: 0.1 }, problems: [] });
  });
});

it('reads the limits of the queue and the propagators', () => {
  const { queue, propagators } = on({
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    OTEL_PROPAGATORS: 'tracecontext',
  });
  expect(queue).toEqual({
    maxQueueSize: 100,
    maxExportBatchSize: undefined,
    scheduledDelayMillis: 20,
    exportTimeoutMillis: undefined,
  });
  expect([...propagators]).toEqual(['tracecontext']);
  expect([...on().propagators]).toEqual(['tracecontext', 'baggage']);
  expect([...on({ OTEL_PROPAGATORS: 'none' }).propagators]).toEqual([]);
});

it('reports values that it does not use, and uses a default', () => {
  const found = settings(
    {},
    {
      OTEL_TRACES_EXPORTER: 'zipkin',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
      OTEL_PROPAGATORS: 'b3',
      OTEL_BSP_MAX_QUEUE_SIZE: '-1',
    },
  );
  expect(found).toMatchObject({ protocol: 'http', sampler: { isParentBased: true, ratio: 1 } });
  expect(found?.problems).toEqual([
    'OTEL_TRACES_EXPORTER is "zipkin"; expected: otlp or none; tracing uses otlp',
    'OTEL_EXPORTER_OTLP_PROTOCOL is "http/json"; expected: grpc or http/protobuf; tracing uses http/protobuf',
    'OTEL_TRACES_SAMPLER is "jaeger_remote"; expected: always_on, always_off, traceidratio, or one of these after parentbased_; tracing uses parentbased_always_on',
    'OTEL_PROPAGATORS is "b3"; expected: tracecontext, baggage or none',
    'OTEL_BSP_MAX_QUEUE_SIZE is "-1"; expected: a whole number above 0; tracing uses the default',
  ]);
  const ratio = on({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' });
  expect(ratio.sampler.ratio).toBe(1);
  expect(ratio.problems).toHaveLength(1);
});
