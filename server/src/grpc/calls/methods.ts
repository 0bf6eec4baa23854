import type { ServiceDefinition } from '@grpc/grpc-js';

/** The four kinds of calls, with the names of the common `grpc_server_*` metrics. */
export type CallType = 'unary' | 'client_stream' | 'server_stream' | 'bidi_stream';

/** One method of a service. There is one object for each method, so that it can be the key of a Map. */
export interface MethodInfo {
  /** Full name of the service, such as `spread.sidecar.v1.MailboxService`. */
  readonly service: string;
  /** Such as `Connect`. */
  readonly method: string;
  readonly type: CallType;
}

/** The events of calls for observers. Called on the hot path: must be cheap and must not throw. */
export interface GrpcTelemetry {
  callStarted(method: MethodInfo): void;
  /** `code` is the number of the gRPC status; `seconds` is the time from the request's headers to the status. */
  callFinished(method: MethodInfo, code: number, seconds: number): void;
  messageReceived(method: MethodInfo): void;
  messageSent(method: MethodInfo): void;
  /**
   * A batch of events was passed to the transport of a Receive. `seconds`: time since one of its events was read
   * from the daemon.
   */
  eventsDelivered(seconds: number): void;
}

export const NO_TELEMETRY: GrpcTelemetry = {
  callStarted() {},
  callFinished() {},
  messageReceived() {},
  messageSent() {},
  eventsDelivered() {},
};

/** All methods that a server serves, by path. */
export class MethodTable {
  readonly #byPath = new Map<string, MethodInfo>();

  add(definition: ServiceDefinition): void {
    for (const { path, requestStream, responseStream } of Object.values(definition)) {
      const [, service = '', method = ''] = path.split('/');
      this.#byPath.set(path, { service, method, type: callType(requestStream, responseStream) });
    }
  }

  get(path: string): MethodInfo {
    const method = this.#byPath.get(path);
    if (!method) throw new Error(`no such method: ${path}`);
    return method;
  }

  all(): MethodInfo[] {
    return [...this.#byPath.values()];
  }
}

function callType(requestStream: boolean, responseStream: boolean): CallType {
  if (requestStream) return responseStream ? 'bidi_stream' : 'client_stream';
  return responseStream ? 'server_stream' : 'unary';
}
