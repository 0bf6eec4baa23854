import type { SidecarConfig } from '../config/index.js';

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How the sidecar samples and exports spans. */
export interface TracingSettings {
  readonly protocol: 'grpc' | 'http';
  /** The URL for the exporter. Undefined: the exporter reads the environment. */
  readonly url: string | undefined;
  readonly sampler: SamplerSettings;
  readonly propagators: ReadonlySet<'tracecontext' | 'baggage'>;
  /** Limits of the queue of spans. Undefined: OpenTelemetry's default. */
  readonly queue: {
    readonly maxQueueSize: number | undefined;
    readonly maxExportBatchSize: number | undefined;
    readonly scheduledDelayMillis: number | undefined;
    readonly exportTimeoutMillis: number | undefined;
  };
  /** Values in the environment that the sidecar does not use. Each is a sentence for the log. */
  readonly problems: readonly string[];
}

export interface SamplerSettings {
  readonly isParentBased: boolean;
  /** Fraction of the traces that start here. */
  readonly ratio: number;
}

/** Undefined if tracing is off. Loads no package of OpenTelemetry. */
export function tracingSettings(
  config: SidecarConfig['tracing'],
  environment: Environment,
): TracingSettings | undefined {
  const problems: string[] = [];
  const read = (name: string) => environment[name]?.trim() || undefined;
  if (read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const protocol = protocolOf(config.exporter, read, problems);
  if (protocol === undefined) return undefined;
  const number = (name: string) => positive(name, read(name), problems);
  return {
    protocol,
    url: config.endpoint === '' ? undefined : urlOf(config.endpoint, protocol),
    sampler:
      config.sampleRatio === 'auto'
        ? samplerOf(read, problems)
        : { isParentBased: true, ratio: config.sampleRatio },
    propagators: propagatorsOf(read, problems),
    queue: {
      maxQueueSize: number('OTEL_BSP_MAX_QUEUE_SIZE'),
      maxExportBatchSize: number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
      scheduledDelayMillis: number('OTEL_BSP_SCHEDULE_DELAY'),
      exportTimeoutMillis: number('OTEL_BSP_EXPORT_TIMEOUT'),
    },
    problems,
  };
}

type Read = (name: string) => string | undefined;

function protocolOf(
  exporter: SidecarConfig['tracing']['exporter'],
  read: Read,
  problems: string[],
): TracingSettings['protocol'] | undefined {
  if (exporter !== 'auto') return exporter === 'off' ? undefined : exporter === 'otlp-grpc' ? 'grpc' : 'http';
  const wanted = read('OTEL_TRACES_EXPORTER');
  if (wanted === undefined || wanted === 'none') return undefined;
  if (wanted !== 'otlp') {
    problems.push(unused('OTEL_TRACES_EXPORTER', wanted, 'otlp or none; tracing uses otlp'));
  }
  const [name, protocol] = firstSet(read, [
    'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
  ]);
  if (protocol === 'grpc') return 'grpc';
  if (protocol !== undefined && protocol !== 'http/protobuf')
    problems.push(unused(name, protocol, 'grpc or http/protobuf; tracing uses http/protobuf'));
  return 'http';
}

function firstSet(read: Read, names: readonly string[]): readonly [string, string | undefined] {
  const name = names.find((candidate) => read(candidate) !== undefined) ?? '';
  return [name, read(name)];
}

const urlOf = (endpoint: string, protocol: TracingSettings['protocol']) =>
  protocol === 'grpc' ? endpoint : `${endpoint.replace(/\/+$/, '')}/v1/traces`;

/** The standard samplers: the ratio of traces that start here, without an argument. */
const SAMPLERS: Readonly<Record<string, number | 'argument'>> = {
  always_on: 1,
  always_off: 0,
  traceidratio: 'argument',
};
const PARENT_BASED = 'parentbased_';

function samplerOf(read: Read, problems: string[]): SamplerSettings {
  const name = read('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  const isParentBased = name.startsWith(PARENT_BASED);
  const ratio = SAMPLERS[isParentBased ? name.slice(PARENT_BASED.length) : name];
  if (ratio === undefined) {
    problems.push(
      unused(
        'OTEL_TRACES_SAMPLER',
        name,
        'always_on, always_off, traceidratio, or one of these after parentbased_; tracing uses parentbased_always_on',
      ),
    );
    return { isParentBased: true, ratio: 1 };
  }
  return { isParentBased, ratio: ratio === 'argument' ? ratioArgument(read, problems) : ratio };
}

function ratioArgument(read: Read, problems: string[]): number {
  const given = read('OTEL_TRACES_SAMPLER_ARG');
  const ratio = given === undefined ? 1 : Number(given);
  if (ratio >= 0 && ratio <= 1) return ratio;
  problems.push(unused('OTEL_TRACES_SAMPLER_ARG', String(given), 'a number from 0 to 1; tracing uses 1'));
  return 1;
}

function propagatorsOf(read: Read, problems: string[]): TracingSettings['propagators'] {
  const names = (read('OTEL_PROPAGATORS') ?? 'tracecontext,baggage').split(',').map((name) => name.trim());
  const known = new Set<'tracecontext' | 'baggage'>();
  for (const name of names) {
    if (name === 'tracecontext' || name === 'baggage') known.add(name);
    else if (name !== 'none' && name !== '')
      problems.push(unused('OTEL_PROPAGATORS', name, 'tracecontext, baggage or none'));
  }
  return known;
}

function positive(name: string, given: string | undefined, problems: string[]): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (Number.isSafeInteger(value) && value > 0 && value < 2 ** 31) return value;
  problems.push(unused(name, given, 'a whole number above 0; tracing uses the default'));
  return undefined;
}

const unused = (name: string, value: string, expected: string) =>
  `${name} is ${JSON.stringify(value)}; expected: ${expected}`;
