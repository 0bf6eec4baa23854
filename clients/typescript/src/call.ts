import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { toSpreadError } from './rich-status.js';
import { fieldError, SIDECAR_DOMAIN, SpreadError } from './spread-error.js';
import type { Endpoint } from './unreachable.js';

/** What bounds a call. */
export interface CallLimits {
  /**
   * How long the call may take. Unit: ms; more than 0. Default: the channel's `callTimeoutMs`. A call that
   * takes longer rejects with status DEADLINE_EXCEEDED.
   */
  timeoutMs?: number;
  /** Ends the call early; it rejects with status CANCELLED and the signal's reason as the cause. */
  signal?: AbortSignal;
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** The error of a wait that its caller's signal ended. */
export function abortError(
  signal: AbortSignal,
  message: string,
  options: { send?: boolean } = {},
): SpreadError {
  return new SpreadError(message, {
    status: status.CANCELLED,
    cause: signal.reason,
    outcome: options.send ? 'not-sent' : undefined,
  });
}

/** The error of a wait on this side that took too long. */
export function timeoutError(message: string): SpreadError {
  return new SpreadError(message, {
    status: status.DEADLINE_EXCEEDED,
    reason: 'DEADLINE_EXCEEDED',
    domain: SIDECAR_DOMAIN,
    retryable: true,
  });
}

/** Refuses a timeout that is none. Unit: ms. */
export function checkTimeout(timeoutMs: number | undefined, field = 'timeoutMs'): void {
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0))
    throw fieldError(field, 'a number of milliseconds, more than 0', timeoutMs);
}

/**
 * One unary call as a promise.
 *
 * @param limits.timeoutMs - with the channel's default already put in
 * @param options.endpoint - where the call goes
 * @param options.send - the call is to send a message: its failure tells what became of it
 * @param options.metadata - request headers
 */
export function unary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  limits: CallLimits,
  options: { endpoint?: Endpoint; send?: boolean; metadata?: Metadata } = {},
): Promise<Response> {
  const { signal, timeoutMs } = limits;
  return new Promise((resolve, reject) => {
    checkTimeout(timeoutMs);
    if (signal?.aborted) throw abortError(signal, 'aborted before the call was made', options);
    const deadline = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
    const onAbort = () => call.cancel();
    const call = method(
      request,
      options.metadata ?? new Metadata(),
      deadline === undefined ? {} : { deadline },
      (error, response) => {
        signal?.removeEventListener('abort', onAbort);
        if (!error) return resolve(response);
        const aborted = signal?.aborted && error.code === status.CANCELLED;
        const { endpoint, send } = options;
        reject(toSpreadError(error, { endpoint, send, cause: aborted ? signal.reason : undefined }));
      },
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
