import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { toSpreadError } from './rich-status.js';
import { fieldError, SIDECAR_DOMAIN, SpreadError } from './spread-error.js';
import type { Endpoint } from './unreachable.js';

/** Timeout and cancellation of a call. */
export interface CallLimits {
  /**
   * Maximum duration of the call. Unit: ms; more than 0. Default: `callTimeoutMs` of the channel. A call that
   * takes longer rejects with status DEADLINE_EXCEEDED.
   */
  timeoutMs?: number;
  /** Cancels the call. The call rejects with status CANCELLED, and the cause is the signal's reason. */
  signal?: AbortSignal;
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** The error of a wait that the caller's signal cancelled. */
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

/** The error of a wait in this client that exceeded its timeout. */
export function timeoutError(message: string): SpreadError {
  return new SpreadError(message, {
    status: status.DEADLINE_EXCEEDED,
    reason: 'DEADLINE_EXCEEDED',
    domain: SIDECAR_DOMAIN,
    retryable: true,
  });
}

/** Rejects an invalid timeout. Unit: ms. */
export function checkTimeout(timeoutMs: number | undefined, field = 'timeoutMs'): void {
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0))
    throw fieldError(field, 'a number of milliseconds, more than 0', timeoutMs);
}

/**
 * Makes one unary call.
 *
 * @param limits.timeoutMs - with the channel's default already applied
 * @param options.endpoint - the channel of the call
 * @param options.send - whether the call sends a message, so that its error has an outcome
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
