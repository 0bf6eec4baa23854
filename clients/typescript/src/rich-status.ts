import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo, RichStatus } from 'spread-sidecar-proto';
import { toMilliseconds } from './duration.js';
import { withOptionName } from './field-names.js';
import { type SendOutcome, SpreadError } from './spread-error.js';
import { connectionFailure, type Endpoint, SIDECAR_UNREACHABLE, unknownCall } from './unreachable.js';

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
    // Invalid details must not hide the status and its message.
    return {};
  }
  return details;
}

/** Whether a failure with `code` leaves open whether the sidecar executed the request. */
const isOutcomeUnknown = (code: number) =>
  [status.UNAVAILABLE, status.CANCELLED, status.DEADLINE_EXCEEDED, status.INTERNAL, status.UNKNOWN].includes(
    code,
  );

function outcomeOf(code: number, info: ErrorInfo | undefined): SendOutcome {
  const outcome = info?.metadata.get('outcome');
  if (outcome === 'unknown' || outcome === 'not-sent') return outcome;
  // With an ErrorInfo, the sidecar itself responded: unless it says otherwise, it rejected the message.
  if (info) return code === status.INTERNAL ? 'unknown' : 'not-sent';
  return isOutcomeUnknown(code) ? 'unknown' : 'not-sent';
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
    retryable: retryDelayMs !== undefined || (error.code === status.UNAVAILABLE && !errorInfo),
    retryDelayMs,
    outcome: options.outcome ?? (options.send ? outcomeOf(error.code, errorInfo) : undefined),
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
 * Whether a mailbox that could not be disconnected has ended, or its sidecar is shutting down or unreachable.
 */
export function isGone(error: unknown): boolean {
  return (
    error instanceof SpreadError &&
    (isTransportFailure(error) || ['DRAINING', 'ILLEGAL_SESSION', 'LEASE_EXPIRED'].includes(error.reason))
  );
}

/**
 * For the end of an `await using` block, where an error would hide the error of the block in a
 * SuppressedError.
 */
export function ignoreSpreadError(error: unknown): void {
  if (!(error instanceof SpreadError)) throw error;
}

/**
 * Whether the connection broke. The sidecar gives a reason when it ends a stream, also when it closes the
 * connection.
 */
export function isTransportFailure(error: SpreadError): boolean {
  if (error.reason === 'CONNECTION_TOO_OLD' || error.reason === SIDECAR_UNREACHABLE) return true;
  return (
    error.reason === '' &&
    [status.UNAVAILABLE, status.CANCELLED, status.INTERNAL, status.UNKNOWN].includes(error.status)
  );
}
