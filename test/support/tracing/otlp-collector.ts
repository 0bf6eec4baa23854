import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { onTestFinished } from 'vitest';
import { until } from '../until.js';

// The fields of OTLP that the tests read, with the field numbers of the protocol.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resourceSpans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes traceId = 1; bytes spanId = 2; string traceState = 3; bytes parentSpanId = 4;
    string name = 5; int32 kind = 6; fixed64 start = 7; fixed64 end = 8;
    repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15;
  }
  message Link { bytes traceId = 1; bytes spanId = 2; }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value {
    oneof value { string text = 1; bool flag = 2; int64 integer = 3; double number = 4; Values list = 5; }
  }
  message Values { repeated Value values = 1; }
`);
const Request = root.lookupType('Request');

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

type Attributes = Record<string, unknown>;

/** A span that a sidecar exported. IDs are in hexadecimal digits. */
export interface CollectedSpan {
  /** The service.name of the resource. */
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly isError: boolean;
  readonly milliseconds: number;
}

/** Collects spans over OTLP, as OpenTelemetry's collector does: over gRPC, and over HTTP with protobuf. */
export class OtlpCollector {
  readonly spans: CollectedSpan[] = [];
  grpcUrl = '';
  httpUrl = '';

  /** A collector that stops at the end of the running test. */
  static async start(): Promise<OtlpCollector> {
    const collector = new OtlpCollector();
    await collector.#listenGrpc();
    await collector.#listenHttp();
    return collector;
  }

  /** The first span that the condition accepts. */
  async span(what: string, isWanted: (span: CollectedSpan) => boolean): Promise<CollectedSpan> {
    await until(() => this.spans.some(isWanted), { what: `the span: ${what}`, timeoutMs: 15_000 });
    return this.spans.find(isWanted)!;
  }

  async #listenGrpc(): Promise<void> {
    const server = new Server();
    const bytes = (value: Buffer) => value;
    const method = {
      path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    };
    const Export = ({ request }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      this.#collect(request);
      answer(null, Buffer.alloc(0));
    };
    server.addService({ Export: method }, { Export });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    this.grpcUrl = `http://127.0.0.1:${port}`;
    onTestFinished(() => server.forceShutdown());
  }

  async #listenHttp(): Promise<void> {
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      if (request.url === '/v1/traces') this.#collect(Buffer.concat(parts));
      response.writeHead(request.url === '/v1/traces' ? 200 : 404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.httpUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
  }

  #collect(bytes: Buffer): void {
    const request = Request.toObject(Request.decode(bytes), {
      arrays: true,
      longs: Number,
      defaults: true,
    }) as RequestMessage;
    for (const { resource, scopeSpans } of request.resourceSpans)
      for (const { spans } of scopeSpans)
        for (const span of spans) this.spans.push(collected(span, attributesOf(resource.attributes)));
  }
}

interface Value {
  readonly text?: string;
  readonly flag?: boolean;
  readonly integer?: number;
  readonly number?: number;
  readonly list?: { readonly values: readonly Value[] };
}
type KeyValues = readonly { readonly key: string; readonly value: Value }[];
interface SpanMessage {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly name: string;
  readonly kind: number;
  readonly start: number;
  readonly end: number;
  readonly attributes: KeyValues;
  readonly links: readonly { readonly traceId: Buffer; readonly spanId: Buffer }[];
  readonly status?: { readonly code: number } | null;
}
interface RequestMessage {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: KeyValues };
    readonly scopeSpans: readonly { readonly spans: readonly SpanMessage[] }[];
  }[];
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const plainValue = ({ list, ...value }: Value): unknown =>
  list ? list.values.map(plainValue) : Object.values(value)[0];

const attributesOf = (pairs: KeyValues): Attributes =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]));

function collected(span: SpanMessage, resource: Attributes): CollectedSpan {
  return {
    service: String(resource['service.name']),
    name: span.name,
    kind: KINDS[span.kind] ?? String(span.kind),
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentId: hex(span.parentSpanId),
    links: span.links.map((link) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
    attributes: attributesOf(span.attributes),
    resource,
    isError: span.status?.code === 2,
    milliseconds: (span.end - span.start) / 1e6,
  };
}
