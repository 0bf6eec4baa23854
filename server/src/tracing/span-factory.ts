import type { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapPropagator,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Headers } from '../envelope/envelope.js';
import type {
  CallSpan,
  DeliveredMessage,
  DeliverySpan,
  ReadField,
  SendSpan,
  TraceContext,
  TracedMessage,
  Tracing,
} from '../grpc/codec/tracing.js';
import type { ActiveSpan } from '../observability/trace-context.js';

const TRACE_PARENT = 'traceparent';
const TRACE_STATE = 'tracestate';
const BAGGAGE = 'baggage';

/** Maximum number of groups in an attribute. */
const MAX_GROUPS = 32;

/** The status codes of gRPC that are errors of the server, as in OpenTelemetry's conventions. */
const SERVER_ERRORS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

const metadataGetter: TextMapGetter<ReadField> = {
  keys: () => [],
  get: (read, name) => read(name),
};
const headerGetter: TextMapGetter<Headers> = {
  keys: (headers) => [...headers.keys()],
  get: (headers, name) => headers.get(name),
};

/** Creates spans with the names and attributes of OpenTelemetry's conventions for RPC and messaging. */
export class SpanFactory implements Tracing {
  constructor(
    private readonly tracer: Tracer,
    private readonly propagator: TextMapPropagator,
    private readonly running: AsyncLocalStorage<ActiveSpan>,
  ) {}

  startCall(service: string, method: string, metadata: ReadField): CallSpan {
    const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
    const parent = this.#fromMetadata(metadata);
    const span = this.tracer.startSpan(`${service}/${method}`, { kind: SpanKind.SERVER, attributes }, parent);
    return new ServerSpan(span, trace.setSpan(parent, span), this.running);
  }

  contextOf(metadata: ReadField): TraceContext {
    return this.#fromMetadata(metadata);
  }

  startSend(message: TracedMessage, parent: TraceContext): SendSpan {
    const own = this.#fromHeaders(message.headers);
    const from = own ?? (parent as Context);
    const options = { kind: SpanKind.PRODUCER, attributes: attributesOf('send', message) };
    const span = this.tracer.startSpan(spanName('send', message), options, from);
    const headers = this.#injected(message.headers, trace.setSpan(from, span));
    return { headers, end: (error) => endSpan(span, error) };
  }

  startReceive(message: DeliveredMessage): DeliverySpan {
    const producer = this.#fromHeaders(message.headers);
    const context = producer && trace.getSpanContext(producer);
    const span = this.tracer.startSpan(
      spanName('receive', message),
      {
        kind: SpanKind.CONSUMER,
        // The span begins when the message arrives from the daemon, and so contains the time in the queue.
        startTime: message.receivedAtMs,
        attributes: { ...attributesOf('receive', message), 'messaging.spread.sender': message.sender },
        links: context === undefined ? [] : [{ context }],
      },
      producer ?? ROOT_CONTEXT,
    );
    const active = new RunningSpan(span);
    return {
      run: (work) => this.running.run(active, work),
      end: (error) => {
        active.isEnded = true;
        endSpan(span, error);
      },
    };
  }

  #fromMetadata(metadata: ReadField): Context {
    return this.propagator.extract(ROOT_CONTEXT, metadata, metadataGetter);
  }

  /** Undefined if the headers have no valid trace. */
  #fromHeaders(headers: Headers): Context | undefined {
    if (!headers.has(TRACE_PARENT)) return undefined;
    const context = this.propagator.extract(ROOT_CONTEXT, headers, headerGetter);
    return trace.getSpanContext(context) === undefined ? undefined : context;
  }

  #injected(headers: Headers, context: Context): Headers {
    const injected = new Map(headers);
    this.propagator.inject(context, injected, {
      set: (map, name, value) => {
        // The state of another span would be wrong.
        if (name === TRACE_PARENT) map.delete(TRACE_STATE);
        // The baggage of the message is newer than that of the call.
        if (name !== BAGGAGE || !headers.has(BAGGAGE)) map.set(name, value);
      },
    });
    return injected;
  }
}

/** The span of running code, until its end. */
class RunningSpan implements ActiveSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
  isEnded = false;

  constructor(span: Span) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  }
}

class ServerSpan implements CallSpan {
  readonly #span: Span;
  readonly #active: RunningSpan;

  constructor(
    span: Span,
    readonly context: Context,
    private readonly running: AsyncLocalStorage<ActiveSpan>,
  ) {
    this.#span = span;
    this.#active = new RunningSpan(span);
  }

  run<Result>(work: () => Result): Result {
    return this.running.run(this.#active, work);
  }

  end(code: number): void {
    this.#active.isEnded = true;
    this.#span.setAttribute('rpc.grpc.status_code', code);
    if (SERVER_ERRORS.has(code)) {
      this.#span.setAttribute('error.type', String(code));
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

type Operation = 'send' | 'receive';

/** Private groups change with each connection, so a span that names one would be hard to find. */
const isTemporary = (group: string) => group.startsWith('#');

function spanName(operation: Operation, { groups }: TracedMessage): string {
  const [group = ''] = groups;
  return groups.length === 1 && !isTemporary(group) ? `${operation} ${group}` : operation;
}

function attributesOf(operation: Operation, message: TracedMessage): Attributes {
  const { groups, headers, bodyBytes, mailbox, batchMessages } = message;
  const [group = ''] = groups;
  const correlation = headers.get('correlation-id');
  return {
    'messaging.system': 'spread',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.client.id': mailbox,
    'messaging.message.body.size': bodyBytes,
    ...(groups.length === 1
      ? { 'messaging.destination.name': group }
      : { 'messaging.spread.groups': groups.slice(0, MAX_GROUPS) }),
    ...(groups.length === 1 && isTemporary(group) ? { 'messaging.destination.temporary': true } : {}),
    ...(batchMessages > 1 ? { 'messaging.batch.message_count': batchMessages } : {}),
    ...(correlation === undefined ? {} : { 'messaging.message.conversation_id': correlation }),
  };
}

function endSpan(span: Span, error: unknown): void {
  if (error !== undefined) {
    span.setAttribute('error.type', errorType(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
  }
  span.end();
}

/** The reason of an error of the sidecar, or Spread's code. */
function errorType(error: unknown): string {
  const { reason, code } = error as { reason?: unknown; code?: unknown };
  if (typeof reason === 'string') return reason;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : '_OTHER';
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
