import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { catchMalformed, Malformed } from './malformed.js';
import type { ServiceRegistration } from './service-registration.js';
import { malformedStatus } from './status.js';

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
type Request = { service: string } | Malformed;
type Response = { status: ServingStatus };

/** Most Watch calls at once; more are refused with RESOURCE_EXHAUSTED. */
const MAX_WATCHERS = 1000;

/**
 * `grpc.health.v1.Health` for a fixed set of services. The whole server, asked for with an empty name, has
 * the same status as they. Several servers may serve one board.
 *
 * The definition comes from grpc-health-check. Its implementation keeps an entry for every name that was
 * ever watched, tells watchers of changes that are none, and writes without looking whether they are read.
 */
export class HealthBoard {
  readonly #names: ReadonlySet<string>;
  readonly #watchers = new Set<() => void>();
  #serving = false;

  /** Begins as NOT_SERVING. */
  constructor(services: readonly string[]) {
    this.#names = new Set(['', ...services]);
  }

  get serving(): boolean {
    return this.#serving;
  }

  setServing(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const tell of this.#watchers) tell();
  }

  /** The service to add to a server. */
  registration(): ServiceRegistration {
    return {
      definition: catchMalformed(healthService as ServiceDefinition),
      implementation: {
        check: (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) =>
          this.#check(call.request, callback),
        list: (call: ServerUnaryCall<Request, unknown>, callback: sendUnaryData<unknown>) =>
          this.#list(call.request, callback),
        watch: (call: ServerWritableStream<Request, Response>) => this.#watch(call),
      },
    };
  }

  #statusOf(service: string): ServingStatus {
    if (!this.#names.has(service)) return 'SERVICE_UNKNOWN';
    return this.#serving ? 'SERVING' : 'NOT_SERVING';
  }

  #check(request: Request, callback: sendUnaryData<Response>): void {
    if (request instanceof Malformed) {
      callback(malformedStatus(request));
      return;
    }
    const current = this.#statusOf(request.service);
    if (current === 'SERVICE_UNKNOWN') {
      callback({ code: status.NOT_FOUND, details: 'this server has no service of that name' });
    } else {
      callback(null, { status: current });
    }
  }

  #list(request: Request, callback: sendUnaryData<unknown>): void {
    if (request instanceof Malformed) {
      callback(malformedStatus(request));
      return;
    }
    const statuses = Object.fromEntries(
      [...this.#names].map((name) => [name, { status: this.#statusOf(name) }]),
    );
    callback(null, { statuses });
  }

  #watch(call: ServerWritableStream<Request, Response>): void {
    const { request } = call;
    if (request instanceof Malformed) {
      call.emit('error', malformedStatus(request));
      return;
    }
    if (this.#watchers.size >= MAX_WATCHERS) {
      const details = `at most ${MAX_WATCHERS} Watch calls are served at once`;
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details });
      return;
    }
    let told: ServingStatus | undefined;
    let blocked = false;
    const tell = () => {
      const current = this.#statusOf(request.service);
      if (blocked || current === told) return;
      told = current;
      blocked = !call.write({ status: current });
    };
    call.on('drain', () => {
      blocked = false;
      tell();
    });
    // Listens before the first answer, so that no change falls in between.
    this.#watchers.add(tell);
    call.once('cancelled', () => this.#watchers.delete(tell));
    tell();
  }
}
