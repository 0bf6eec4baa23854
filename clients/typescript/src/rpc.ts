import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type CallLimits, unary } from './call.js';
import type { MailboxServiceClient } from './mailbox-client.js';
import { mayPass } from './rules/failures.js';
import { channelClosedError, type SpreadError } from './spread-error.js';
import type { Endpoint } from './unreachable.js';

/** The generated client with a deadline for each call and SpreadError for failures. */
export class Rpc {
  #closed = false;

  /**
   * @param client - the generated stub
   * @param endpoint - the channel of its calls
   * @param callTimeoutMs - for calls without a timeout. Unit: ms
   * @param headers - sent with every call
   * @param tokenMayChange - whether the token is read again before each call
   */
  constructor(
    readonly client: MailboxServiceClient,
    readonly endpoint: Endpoint,
    private readonly callTimeoutMs: number,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly tokenMayChange = false,
  ) {}

  /** Whether a later call with the same mailbox may succeed. */
  mayPass(error: SpreadError): boolean {
    return mayPass(error, this.tokenMayChange);
  }

  /** The headers of a call, with additional ones. */
  metadata(more: Readonly<Record<string, string>> = {}): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries({ ...this.headers, ...more })) metadata.set(key, value);
    return metadata;
  }

  /** Closes the channel and cancels its calls. */
  close(): void {
    this.#closed = true;
    this.client.close();
  }

  /** Makes one unary call. */
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
