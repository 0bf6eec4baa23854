// The only folder that loads packages of OpenTelemetry. The sidecar imports this file only while tracing is on.
import { AsyncLocalStorage } from 'node:async_hooks';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import {
  CompositePropagator,
  setGlobalErrorHandler,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import {
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Tracing } from '../grpc/codec/tracing.js';
import { type ActiveSpan, traceFrom } from '../observability/trace-context.js';
import { SpanFactory } from './span-factory.js';
import type { TracingSettings } from './tracing-settings.js';

/** Running tracing. */
export interface RunningTracing {
  readonly spans: Tracing;
  /** Exports the finished spans, and then no more. Never rejects. */
  shutdown(timeoutMs: number): Promise<void>;
}

/**
 * @param version - the sidecar's release
 * @param onProblem - reports a problem of the exporter, which can occur at any rate
 */
export async function startTracing(
  settings: TracingSettings,
  version: string,
  onProblem: (problem: string) => void,
): Promise<RunningTracing> {
  reportProblems(onProblem);
  const exporter = await createExporter(settings);
  const provider = new TracerProvider({
    resource: resource(version),
    sampler: sampler(settings),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...defined(settings.queue) })],
  });
  const running = new AsyncLocalStorage<ActiveSpan>();
  traceFrom(running);
  return {
    spans: new SpanFactory(provider.getTracer('spread-sidecar', version), propagator(settings), running),
    shutdown: (timeoutMs) =>
      atMost(
        timeoutMs,
        provider.shutdown().catch(() => {}),
      ),
  };
}

/** Loads only the packages of the protocol. */
async function createExporter({ protocol, url }: TracingSettings): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-trace-otlp-grpc')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter(url === undefined ? {} : { url });
}

function resource(version: string): Resource {
  const own = { 'service.name': 'spread-sidecar', 'service.version': version };
  const found = detectResources({ detectors: [serviceInstanceIdDetector, envDetector] });
  return resourceFromAttributes(own).merge(found);
}

function sampler({ sampler: { isParentBased, ratio } }: TracingSettings): Sampler {
  const root = new TraceIdRatioBasedSampler(ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function propagator({ propagators }: TracingSettings): CompositePropagator {
  return new CompositePropagator({
    propagators: [
      ...(propagators.has('tracecontext') ? [new W3CTraceContextPropagator()] : []),
      ...(propagators.has('baggage') ? [new W3CBaggagePropagator()] : []),
    ],
  });
}

function reportProblems(onProblem: (problem: string) => void): void {
  const report = (...parts: unknown[]) => onProblem(parts.map(String).join(' '));
  const ignore = () => {};
  diag.setLogger(
    { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  setGlobalErrorHandler((error) => onProblem(typeof error === 'string' ? error : String(error.message)));
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

async function atMost(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done, timeout]);
  clearTimeout(timer);
}
