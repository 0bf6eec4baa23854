import { EventEmitter } from 'node:events';
import { Metadata, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { type CallGate, OPEN_GATE } from '../../../../server/src/grpc/calls/call-gate.js';
import { type CallBounds, CallLimits } from '../../../../server/src/grpc/calls/call-limits.js';
import { type CallType, type MethodInfo, MethodTable } from '../../../../server/src/grpc/calls/methods.js';
import type { ObservedCall } from '../../../../server/src/grpc/calls/observed-call.js';
import { OpenCalls } from '../../../../server/src/grpc/calls/open-calls.js';
import { ResponseBudget } from '../../../../server/src/grpc/calls/response-budget.js';
import type { SentStatus } from '../../../../server/src/grpc/codec/status.js';
import { identifyConnection } from '../../../../server/src/grpc/transport/sessions/connection-identity.js';
import { FairTurns } from '../../../../server/src/timing/fair-turns.js';
import { readStatusDetails } from '../../../support/sidecars/google-rpc.js';
import { GRPC_BOUNDS } from '../../../support/sidecars/grpc-bounds.js';

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

/** The part of an HTTP/2 stream that calls use. */
class FakeStream extends EventEmitter {
  headersSent = false;
  destroyed = false;
  closed = false;
  writableLength = 0;
  readableLength = 0;
  readonly closedWith: number[] = [];
  readonly written: Buffer[] = [];
  readonly #writes: ((error?: Error) => void)[] = [];

  constructor(readonly session: object) {
    super();
  }

  close(code: number): void {
    this.closedWith.push(code);
  }

  cork(): void {}
  uncork(): void {}

  write(chunk: Buffer, written?: (error?: Error) => void): boolean {
    this.written.push(chunk);
    if (written !== undefined) this.#writes.push(written);
    return true;
  }

  /** The transport accepted the written bytes, or failed. */
  flush(error?: Error): void {
    for (const written of this.#writes.splice(0)) written(error);
  }

  /** Closes the stream. */
  end(): void {
    this.closed = true;
    this.destroyed = true;
    this.writableLength = 0;
    this.emit('close');
  }
}

/** The innermost call of grpc-js, controlled by the test. */
class FakeBase {
  readonly stream: FakeStream;
  listener: Listener | undefined;
  readonly statuses: SentStatus[] = [];
  readonly messages: unknown[] = [];
  reads = 0;
  deadline: Date | number = Number.POSITIVE_INFINITY;
  /** Number of unread bytes that a message adds. */
  messageBytes = 0;
  /** False: the stream was reset before the start of the call, so that the listener gets nothing. */
  begins = true;
  readonly metadata = new Metadata();

  constructor(session: object) {
    this.stream = new FakeStream(session);
    // grpc-js reads the request.
    this.stream.on('data', () => {});
  }

  start(listener: Listener): void {
    this.listener = listener;
    if (this.begins) listener.onReceiveMetadata(this.metadata);
  }

  sendMetadata(): void {}

  sendMessage(message: unknown): void {
    this.messages.push(message);
    this.stream.headersSent = true;
    this.stream.writableLength += this.messageBytes;
  }

  /** Also called by grpc-js itself, below every interceptor. */
  sendStatus(status: SentStatus): void {
    this.statuses.push(status);
  }

  startRead(): void {
    this.reads++;
  }

  getPeer = () => '127.0.0.1:50000';
  getDeadline = () => this.deadline;
  getConnectionInfo = () => ({ remoteAddress: '127.0.0.1', remotePort: 50_000 });
}

/** A connection for calls. */
export function fakeSession(): object {
  const socket = {};
  identifyConnection(socket as never, 'tcp');
  return { socket };
}

/** The notifications of a handler. */
class FakeHandler {
  readonly calls: string[] = [];
  readonly listener: Listener = {
    onReceiveMetadata: () => void this.calls.push('metadata'),
    onReceiveMessage: (message: unknown) => void this.calls.push(`message ${message}`),
    onReceiveHalfClose: () => void this.calls.push('half-close'),
    onCancel: () => void this.calls.push('cancel'),
  };
}

const MAILBOX = 'spread.sidecar.v1.MailboxService';
const METHODS: [service: string, method: string, type: CallType][] = [
  [MAILBOX, 'GetView', 'unary'],
  [MAILBOX, 'Multicast', 'unary'],
  [MAILBOX, 'MulticastStream', 'bidi_stream'],
  [MAILBOX, 'Receive', 'server_stream'],
  ['grpc.health.v1.Health', 'Check', 'unary'],
];

export interface FakeServerOptions {
  gate?: CallGate;
  calls?: Partial<CallBounds>;
  responseBytes?: number;
  compression?: boolean;
}

/** OpenCalls with all of its reports, one per line. */
export class FakeServer {
  readonly events: string[] = [];
  readonly limits: CallLimits;
  readonly responses: ResponseBudget;
  readonly turns = new FairTurns();
  readonly calls: OpenCalls;
  readonly #session = fakeSession();

  constructor(options: FakeServerOptions = {}) {
    const methods = new MethodTable();
    for (const [service, method, type] of METHODS) {
      methods.add({
        it: {
          path: `/${service}/${method}`,
          requestStream: type === 'bidi_stream',
          responseStream: type !== 'unary',
        } as never,
      });
    }
    this.limits = new CallLimits({ ...GRPC_BOUNDS.calls, ...options.calls });
    this.responses = new ResponseBudget(options.responseBytes ?? 1000);
    const say = (line: string) => void this.events.push(line);
    this.calls = new OpenCalls({
      methods,
      telemetry: {
        callStarted: ({ method }: MethodInfo) => say(`${method} started`),
        callFinished: ({ method }: MethodInfo, code: number) => say(`${method} finished ${code}`),
        messageReceived: ({ method }: MethodInfo) => say(`${method} received`),
        messageSent: ({ method }: MethodInfo) => say(`${method} sent`),
        eventsDelivered: () => say('events delivered'),
      },
      transport: { maxRequestBytes: 100_000, compression: options.compression ?? false },
      sweep: { ...GRPC_BOUNDS.sweep, requestTimeoutMs: GRPC_BOUNDS.transport.requestTimeoutMs },
      gate: options.gate ?? OPEN_GATE,
      onRefused: (reason, { method }) => say(`refused ${method} ${reason}`),
      limits: this.limits,
      responses: this.responses,
      onProven: () => say('proven'),
      onLimit: (limit) => say(`limit ${limit}`),
      turns: this.turns,
    });
  }

  /** A call that is not started. */
  make(method: string, session: object = this.#session) {
    const [service] = METHODS.find(([, name]) => name === method) ?? [];
    const base = new FakeBase(session);
    const handler = new FakeHandler();
    const call = this.calls.interceptor(
      { path: `/${service}/${method}` } as never,
      base as unknown as ServerInterceptingCallInterface,
    ) as ObservedCall;
    return { base, call, handler, start: () => call.start(handler.listener) };
  }

  /** A started call: its handler has its metadata if the call was accepted. */
  begin(method: string, session?: object) {
    const made = this.make(method, session);
    made.start();
    return made;
  }
}

/** The reason in the details of a status. */
export function reasonOf(status: SentStatus | undefined): string | undefined {
  const [details] = status?.metadata?.get('grpc-status-details-bin') ?? [];
  return details === undefined ? undefined : readStatusDetails(details as Buffer).info?.reason;
}
