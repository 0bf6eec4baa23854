import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo, RichStatus } from 'spread-sidecar-proto';
import { toMilliseconds } from './duration.js';
import { withOptionName } from './field-names.js';
import { isRetryable, outcomeOf } from './rules/failures.js';
import { type SendOutcome, SpreadError } from './spread-error.js';
import { connectionFailure, type Endpoint, unknownCall } from './unreachable.js';

interface Details {
  errorInfo?: ErrorInfo;
  retryDelayMs?: number;
}

/**
 * The google.rpc details in the trailer `grpc-status-details-bin`. Empty if there are no readable details.
 */
function readDetails(metadata: Metadata | undefined): Details {
  const bytes = metadata?.get('grpc-status-details-bin')[0];
  if (!(bytes instanceof Uint8Array)) return {};
  const details: Details = {};
  try {
    for (const any of RichStatus.decode(bytes).details) {
      const type = any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1);
      if (type === 'google.rpc.ErrorInfo') details.errorInfo = ErrorInfo.decode(any.value);
      if (type === 'google.rpc.RetryInfo')
        details.retryDelayMs = toMilliseconds(RetryInfo.decode(any.value).retryDelay);
    }
  } catch {
    // F7: invalid details must not hide the status and its message.
    return {};
  }
  return details;
}

/**
 * Converts an error of grpc-js to a {@link SpreadError}.
 *
 * @param options.endpoint - the channel of the call, to explain a failed connection
 * @param options.send - whether the call sends a message, so that the error gets an outcome
 * @param options.outcome - the outcome, if the caller knows it
 * @param options.cause - the cause, instead of the ServiceError
 */
export function toSpreadError(
  error: ServiceError,
  options: { endpoint?: Endpoint; send?: boolean; outcome?: SendOutcome; cause?: unknown } = {},
): SpreadError {
  const unreachable = options.endpoint && connectionFailure(error, options.endpoint);
  if (unreachable) return unreachable;
  const { errorInfo, retryDelayMs } = readDetails(error.metadata);
  if (options.endpoint && !errorInfo && error.code === status.UNIMPLEMENTED)
    return unknownCall(options.endpoint, error);
  const sentence = withOptionName(error.details || error.message, errorInfo?.metadata.get('field'));
  const spreadError = new SpreadError(sentence, {
    status: error.code,
    reason: errorInfo?.reason,
    domain: errorInfo?.domain,
    metadata: errorInfo && Object.fromEntries(errorInfo.metadata),
    retryable: isRetryable(error.code, errorInfo !== undefined, retryDelayMs !== undefined),
    retryDelayMs,
    outcome: options.outcome ?? (options.send ? outcomeOf(error.code, errorInfo?.metadata) : undefined),
    // The SpreadError contains the whole response of a sidecar. As a cause, Node would print it twice, with
    // its bytes.
    cause: options.cause ?? (errorInfo ? undefined : error),
  });
  if (errorInfo) showCaller(spreadError, error);
  return spreadError;
}

/**
 * Uses the caller's stack frames, which grpc-js keeps in the stack of its error, instead of those of its
 * callbacks.
 */
function showCaller(spreadError: SpreadError, { stack = '' }: ServiceError): void {
  const [, caller] = stack.split('\nfor call at\n');
  if (caller !== undefined) spreadError.stack = `${spreadError.name}: ${spreadError.message}\n${caller}`;
}

/**
 * For the end of an `await using` block, where an error would hide the error of the block in a
 * SuppressedError.
 */
export function ignoreSpreadError(error: unknown): void {
  if (!(error instanceof SpreadError)) throw error;
}
