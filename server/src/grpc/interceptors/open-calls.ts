import {
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import { SidecarError } from '../../mailbox/sidecar-error.js';
import { sidecarFailure } from '../failure.js';
import type { GrpcTelemetry, MethodInfo, MethodTable } from '../methods.js';
import type { Admission, CallGate } from '../security/call-gate.js';
import { connectionIdentityOf } from '../security/connection-identity.js';
import { type SentStatus, statusError } from '../status.js';
import { type CallWatcher, ObservedCall } from './observed-call.js';

/** Told of a call that was not let in; `reason` is the contract's. */
export type OnCallRefused = (reason: string, method: MethodInfo, peer: string) => void;

/** All calls of a server that have no status yet; reports each call's start and end. */
export class OpenCalls implements CallWatcher {
  readonly #open = new Set<ObservedCall>();
  readonly #idle: (() => void)[] = [];

  constructor(
    private readonly methods: MethodTable,
    private readonly telemetry: GrpcTelemetry,
    readonly describe: (status: SentStatus) => SentStatus,
    private readonly gate: CallGate,
    private readonly onRefused: OnCallRefused,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  /** Has to be the first of a server's interceptors, which grpc-js puts innermost. */
  readonly interceptor: ServerInterceptor = (definition, base) => {
    const method = this.methods.get(definition.path);
    const call = new ObservedCall(base, method, this);
    this.#open.add(call);
    this.telemetry.callStarted(method);
    return call;
  };

  /** Ends every open call with this status: clients see it instead of a cut connection's CANCELLED. */
  endAll(end: SentStatus): void {
    for (const call of [...this.#open]) call.sendStatus(end);
  }

  admit(
    call: ObservedCall,
    base: ServerInterceptingCallInterface,
    metadata: Metadata,
  ): Admission | SentStatus {
    const connection = connectionIdentityOf(base);
    if (connection === undefined) return { code: status.UNAVAILABLE, details: 'the connection is gone' };
    try {
      return this.gate.admit(call.method, metadata, connection);
    } catch (error) {
      if (!(error instanceof SidecarError)) throw error;
      this.onRefused(error.reason, call.method, base.getPeer());
      return statusError(sidecarFailure(error));
    }
  }

  /** Ends the calls that would not be let in any more. */
  recheck(): void {
    for (const call of [...this.#open]) {
      if (call.admission === undefined || this.gate.stillAdmits(call.admission)) continue;
      const error = new SidecarError('CREDENTIAL_INVALID', 'the client token is not taken any more', {
        field: 'authorization',
      });
      this.onRefused(error.reason, call.method, call.getPeer());
      call.sendStatus(statusError(sidecarFailure(error)));
    }
  }

  /** Resolves when no call is open; not bounded in time. */
  whenIdle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  finished(call: ObservedCall, code: number): void {
    this.#open.delete(call);
    this.telemetry.callFinished(call.method, code, (performance.now() - call.startedAt) / 1000);
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
