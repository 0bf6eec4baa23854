import type { Http2Session } from 'node:http2';
import {
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import type { FairTurns } from '../../timing/fair-turns.js';
import { EdgeError } from '../codec/edge-error.js';
import { sidecarFailure } from '../codec/failure.js';
import { type SentStatus, statusError } from '../codec/status.js';
import type { ReadField, Tracing } from '../codec/tracing.js';
import type { ConnectionIdentity } from '../transport/sessions/connection-identity.js';
import { connectionIdentityOf } from '../transport/sessions/connection-identity.js';
import { describeTransportStatus, type TransportBounds } from '../transport/transport-status.js';
import type { CallGate } from './call-gate.js';
import type { CallLimits } from './call-limits.js';
import { CallSweep, type SweepBounds } from './call-sweep.js';
import type { GrpcTelemetry, MethodInfo, MethodTable } from './methods.js';
import { type CallWatcher, type Entry, ObservedCall, responsesUnread } from './observed-call.js';
import type { ResponseBudget } from './response-budget.js';

/** Called for a rejected call. `reason` is the contract's. */
export type OnCallRefused = (reason: string, method: MethodInfo, peer: string) => void;

/** The dependencies of OpenCalls. */
export interface OpenCallsOptions {
  readonly methods: MethodTable;
  readonly telemetry: GrpcTelemetry;
  readonly transport: TransportBounds & {
    /** Whether requests may be compressed. */
    readonly compression: boolean;
  };
  readonly sweep: SweepBounds;
  readonly gate: CallGate;
  readonly onRefused: OnCallRefused;
  readonly limits: CallLimits;
  readonly responses: ResponseBudget;
  /** Called for a connection with an accepted credential. */
  readonly onProven: (connection: Http2Session | undefined) => void;
  /** Called for a limit that a call exceeded before it had a handler. */
  readonly onLimit: OnLimit;
  /** Shares the event loop between connections. */
  readonly turns: FairTurns;
  /** Undefined while tracing is off. */
  readonly tracing?: Tracing | undefined;
}

/** Called for a limit that a client reached, with the name of its option. */
export type OnLimit = (limit: string, about: { readonly peer?: string; readonly method?: string }) => void;

/** Health must respond even under overload. Its calls are cheap, and watchers have a separate limit. */
const WITHOUT_LIMIT: ReadonlySet<string> = new Set(['grpc.health.v1.Health']);

/** All calls of a server without a status. Reports each call's start and end. */
export class OpenCalls implements CallWatcher {
  readonly #open = new Set<ObservedCall>();
  readonly #idle: (() => void)[] = [];
  readonly #sweep: CallSweep;

  constructor(private readonly options: OpenCallsOptions) {
    this.#sweep = new CallSweep(options.sweep, (limit) => options.onLimit(limit, {}));
  }

  get responses(): ResponseBudget {
    return this.options.responses;
  }

  get turns(): FairTurns {
    return this.options.turns;
  }

  arrived(bytes: number): void {
    this.#sweep.arrived(bytes);
  }

  reached(limit: string): void {
    this.options.onLimit(limit, {});
  }

  get size(): number {
    return this.#open.size;
  }

  /** Must be the first of a server's interceptors, which grpc-js makes the innermost. */
  readonly interceptor: ServerInterceptor = (definition, base) => {
    const method = this.options.methods.get(definition.path);
    const call = new ObservedCall(base, method, this);
    this.#open.add(call);
    this.#sweep.opened(call);
    this.options.telemetry.callStarted(method);
    return call;
  };

  /** Ends every open call with this status. Otherwise clients would see CANCELLED when their connection closes. */
  endAll(end: SentStatus): void {
    for (const call of [...this.#open]) call.sendStatus(end);
  }

  admit(call: ObservedCall, base: ServerInterceptingCallInterface, metadata: Metadata): Entry | SentStatus {
    const { gate, limits, onRefused, onLimit, tracing } = this.options;
    const connection = connectionIdentityOf(base);
    if (connection === undefined) return { code: status.UNAVAILABLE, details: 'the connection was lost' };
    const { method } = call;
    try {
      const admission = gate.admit(method, metadata, connection);
      if (admission.credential !== undefined) this.options.onProven(call.connection);
      if (!WITHOUT_LIMIT.has(method.service) && !this.responses.hasRoom(call.connection))
        throw responsesUnread(this.responses.totalBytes, 'not-sent');
      const client = clientOf(admission.caller, connection, base.getConnectionInfo().remoteAddress);
      const use = WITHOUT_LIMIT.has(method.service)
        ? limits.enterAlways(client, call.connection)
        : limits.enter(client, call.connection);
      if (tracing !== undefined && method.type === 'unary' && !WITHOUT_LIMIT.has(method.service))
        call.span = tracing.startCall(method.service, method.method, metadataReader(metadata));
      return { admission, use };
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error;
      const { limit } = error.metadata;
      if (limit === undefined) onRefused(error.reason, method, base.getPeer());
      else onLimit(limit, { method: `${method.service}/${method.method}`, peer: base.getPeer() });
      return statusError(sidecarFailure(error));
    }
  }

  received(call: ObservedCall): void {
    this.options.telemetry.messageReceived(call.method);
  }

  sent(call: ObservedCall): void {
    this.options.telemetry.messageSent(call.method);
  }

  closed(call: ObservedCall): void {
    this.#sweep.closed(call);
    if (call.entry) this.options.limits.leave(call.entry.use, call.connection);
  }

  get maxCompressedBytes(): number | undefined {
    const { compression, maxRequestBytes } = this.options.transport;
    return compression ? maxRequestBytes : undefined;
  }

  describe(given: SentStatus): SentStatus {
    const { status: described, limit } = describeTransportStatus(given, this.options.transport);
    if (limit !== undefined) this.options.onLimit(limit, {});
    return described;
  }

  /** Ends the calls of a connection that has reached its age limit. */
  endOf(connection: Http2Session): void {
    for (const call of [...this.#open]) {
      if (call.connection !== connection) continue;
      const metadata: Record<string, string> =
        call.method.type === 'server_stream' ? {} : { outcome: 'unknown' };
      const message = 'the connection has reached its maximum age; the mailbox stays open';
      call.fail(new EdgeError('CONNECTION_TOO_OLD', message, metadata));
    }
  }

  /** Ends the calls that would not be accepted any more. */
  recheck(): void {
    for (const call of [...this.#open]) {
      if (call.entry === undefined || this.options.gate.stillAdmits(call.entry.admission)) continue;
      const error = new EdgeError(
        'CREDENTIAL_INVALID',
        'this sidecar no longer accepts the client token; call again with a current token',
        {
          field: 'authorization',
          // The call was accepted, so its request may have been sent already.
          outcome: 'unknown',
        },
      );
      this.options.onRefused(error.reason, call.method, call.getPeer());
      call.sendStatus(statusError(sidecarFailure(error)));
    }
  }

  /** Resolves when no call is open. Has no time limit. */
  whenIdle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  finished(call: ObservedCall, code: number): void {
    this.#open.delete(call);
    this.#sweep.ended(call);
    if (call.span === undefined) this.#report(call, code);
    else {
      call.span.run(() => this.#report(call, code));
      call.span.end(code);
    }
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #report(call: ObservedCall, code: number): void {
    this.options.telemetry.callFinished(call.method, code, (performance.now() - call.startedAt) / 1000);
  }
}

/** Reads the metadata of a call for tracing. */
export function metadataReader(metadata: Metadata): ReadField {
  return (name) => metadata.get(name)[0]?.toString();
}

/**
 * The client whose limits a call counts in: the identity of its credential, otherwise, over TCP and TLS, the
 * address of the connection. A Unix socket does not identify its clients, so without credentials they are all one
 * client.
 *
 * @param caller the call's identity, which is the connection's without a credential
 */
export function clientOf(
  caller: string,
  connection: ConnectionIdentity,
  remoteAddress: string | undefined,
): string {
  if (caller !== connection || caller.startsWith('certificate:') || remoteAddress === undefined)
    return caller;
  return `${caller} ${remoteAddress}`;
}
