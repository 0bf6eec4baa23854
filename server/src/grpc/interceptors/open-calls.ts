import type { ServerInterceptor } from '@grpc/grpc-js';
import type { GrpcTelemetry, MethodTable } from '../methods.js';
import type { SentStatus } from '../status.js';
import { type CallWatcher, ObservedCall } from './observed-call.js';

/** All calls of a server that have no status yet; reports each call's start and end. */
export class OpenCalls implements CallWatcher {
  readonly #open = new Set<ObservedCall>();
  readonly #idle: (() => void)[] = [];

  constructor(
    private readonly methods: MethodTable,
    private readonly telemetry: GrpcTelemetry,
    readonly describe: (status: SentStatus) => SentStatus,
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
  endAll(status: SentStatus): void {
    for (const call of [...this.#open]) call.sendStatus(status);
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
