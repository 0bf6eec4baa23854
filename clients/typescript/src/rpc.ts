import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type CallLimits, unary } from './call.js';
import type { MailboxServiceClient } from './mailbox-client.js';
import { isTransportFailure } from './rich-status.js';
import { channelClosedError, type SpreadError } from './spread-error.js';
import type { Endpoint } from './unreachable.js';

/** The generated client with this package's rules for calls: a deadline for each, and SpreadError for failures. */
export class Rpc {
  #closed = false;

  /**
   * @param client - the generated stub
   * @param endpoint - where its calls go
   * @param callTimeoutMs - for calls that name no timeout. Unit: ms
   * @param headers - sent with every call
   * @param tokenMayChange - the token is asked for again before each call
   */
  constructor(
    readonly client: MailboxServiceClient,
    readonly endpoint: Endpoint,
    private readonly callTimeoutMs: number,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly tokenMayChange = false,
  ) {}

  /**
   * Whether a later call may fare better, with the same mailbox: the way to the sidecar was cut, or a token was not
   * taken (or not to be had) that will be asked for anew.
   */
  mayPass(error: SpreadError): boolean {
    return isTransportFailure(error) || (this.tokenMayChange && error.status === status.UNAUTHENTICATED);
  }

  /** The headers of a call, with further ones. */
  metadata(more: Readonly<Record<string, string>> = {}): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries({ ...this.headers, ...more })) metadata.set(key, value);
    return metadata;
  }

  /** Ends what runs. */
  close(): void {
    this.#closed = true;
    this.client.close();
  }

  /** One unary call. */
  async call<Request, Response>(
    method: (
      request: Request,
      metadata: Metadata,
      options: Partial<CallOptions>,
      callback: (error: ServiceError | null, response: Response) => void,
    ) => ClientUnaryCall,
    request: Request,
    limits: CallLimits,
    options: { send?: boolean; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    if (this.#closed) throw channelClosedError();
    const bounded = { signal: limits.signal, timeoutMs: limits.timeoutMs ?? this.callTimeoutMs };
    const metadata = this.metadata(options.headers);
    const { endpoint } = this;
    return unary(method.bind(this.client), request, bounded, { endpoint, send: options.send, metadata });
  }
}
