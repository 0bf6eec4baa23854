import { type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import type { ServiceRegistration } from '../calls/service-registration.js';
import { EdgeError } from '../codec/edge-error.js';
import { sidecarFailure } from '../codec/failure.js';
import { Malformed } from '../codec/malformed.js';
import { malformedStatus, statusError } from '../codec/status.js';
import { type HealthCheckRequest, HealthService, type ServingStatus } from './health-messages.js';

type Request = HealthCheckRequest | Malformed;
type Statuses = ReadonlyMap<string, ServingStatus>;

/** Largest number of Watch calls. More are rejected with RESOURCE_EXHAUSTED. */
const MAX_WATCHERS = 1000;
/** Retry delay of a rejected Watch. Unit: ms. */
const RETRY_MS = 1000;

/**
 * `grpc.health.v1.Health` for a fixed set of services. The whole server, with an empty name, has the same status
 * as the services. Several servers can share one board.
 *  Replaces the implementation of grpc-health-check, which keeps an entry for every name that was ever watched,
 * sends unchanged statuses to watchers, and writes to watchers that do not read.
 */
export class HealthBoard {
  readonly #names: ReadonlySet<string>;
  readonly #watchers = new Set<() => void>();
  #serving = false;

  /** Starts as NOT_SERVING. */
  constructor(services: readonly string[]) {
    this.#names = new Set(['', ...services]);
  }

  get serving(): boolean {
    return this.#serving;
  }

  setServing(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const sendStatus of this.#watchers) sendStatus();
  }

  /** The service, to add to a server. */
  registration(): ServiceRegistration {
    return {
      definition: HealthService,
      implementation: {
        check: (call: ServerUnaryCall<Request, ServingStatus>, callback: sendUnaryData<ServingStatus>) =>
          this.#check(call.request, callback),
        list: (call: ServerUnaryCall<object, Statuses>, callback: sendUnaryData<Statuses>) =>
          this.#list(call.request, callback),
        watch: (call: ServerWritableStream<Request, ServingStatus>) => this.#watch(call),
      },
    };
  }

  #statusOf(service: string): ServingStatus {
    if (!this.#names.has(service)) return 'SERVICE_UNKNOWN';
    return this.#serving ? 'SERVING' : 'NOT_SERVING';
  }

  #check(request: Request, callback: sendUnaryData<ServingStatus>): void {
    if (request instanceof Malformed) {
      callback(malformedStatus(request));
      return;
    }
    const current = this.#statusOf(request.service);
    if (current === 'SERVICE_UNKNOWN') {
      callback({ code: status.NOT_FOUND, details: 'this server has no service with this name' });
    } else {
      callback(null, current);
    }
  }

  #list(request: object, callback: sendUnaryData<Statuses>): void {
    if (request instanceof Malformed) callback(malformedStatus(request));
    else callback(null, new Map([...this.#names].map((name) => [name, this.#statusOf(name)])));
  }

  #watch(call: ServerWritableStream<Request, ServingStatus>): void {
    const { request } = call;
    if (request instanceof Malformed) {
      call.emit('error', malformedStatus(request));
      return;
    }
    if (this.#watchers.size >= MAX_WATCHERS) {
      const message = `at most ${MAX_WATCHERS} Watch calls may be open at the same time`;
      const metadata = { limit: 'health.watchers', bound: String(MAX_WATCHERS) };
      const error = new EdgeError('TOO_MANY_CALLS', message, metadata, { retryDelayMs: RETRY_MS });
      call.emit('error', statusError(sidecarFailure(error)));
      return;
    }
    let lastSent: ServingStatus | undefined;
    let blocked = false;
    const sendStatus = () => {
      const current = this.#statusOf(request.service);
      if (blocked || current === lastSent) return;
      lastSent = current;
      blocked = !call.write(current);
    };
    call.on('drain', () => {
      blocked = false;
      sendStatus();
    });
    // Subscribes before the first response, so that no change is lost in between.
    this.#watchers.add(sendStatus);
    call.once('cancelled', () => this.#watchers.delete(sendStatus));
    sendStatus();
  }
}
