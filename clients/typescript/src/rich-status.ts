import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo, RichStatus } from 'spread-sidecar-proto';
import { toMilliseconds } from './duration.js';
import { inCallersTerms } from './field-names.js';
import { type SendOutcome, SpreadError } from './spread-error.js';
import { connectionFailure, type Endpoint, SIDECAR_UNREACHABLE, unknownCall } from './unreachable.js';

interface Details {
  errorInfo?: ErrorInfo;
  retryDelayMs?: number;
}

/** The google.rpc details of the trailer `grpc-status-details-bin`; empty if there are none that can be read. */
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
    // The status and its sentence stand without the details; a peer that writes nonsense there is no
    // reason to hide them.
    return {};
  }
  return details;
}

/** Whether a failure of `code` leaves it open whether the request was carried out. */
const inDoubt = (code: number) =>
  [status.UNAVAILABLE, status.CANCELLED, status.DEADLINE_EXCEEDED, status.INTERNAL, status.UNKNOWN].includes(
    code,
  );

function outcomeOf(code: number, info: ErrorInfo | undefined): SendOutcome {
  const said = info?.metadata.outcome;
  if (said === 'unknown' || said === 'not-sent') return said;
  // With an ErrorInfo the sidecar itself answered: unless it says otherwise, it refused.
  if (info) return code === status.INTERNAL ? 'unknown' : 'not-sent';
  return inDoubt(code) ? 'unknown' : 'not-sent';
}

/**
 * Turns what grpc-js rejects with into a {@link SpreadError}.
 *
 * @param options.endpoint - the channel of the call, to explain why a connection could not be made
 * @param options.send - the call was to send a message: the error tells what became of it
 * @param options.outcome - what became of it, when the caller knows better
 * @param options.cause - what to show as the cause, in place of the ServiceError
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
  const sentence = inCallersTerms(error.details || error.message, errorInfo?.metadata.field);
  const spreadError = new SpreadError(sentence, {
    status: error.code,
    reason: errorInfo?.reason,
    domain: errorInfo?.domain,
    metadata: errorInfo?.metadata,
    retryable: retryDelayMs !== undefined || (error.code === status.UNAVAILABLE && !errorInfo),
    retryDelayMs,
    outcome: options.outcome ?? (options.send ? outcomeOf(error.code, errorInfo) : undefined),
    // The answer of a sidecar is all in here: as the cause, Node would print it again, with its bytes.
    cause: options.cause ?? (errorInfo ? undefined : error),
  });
  if (errorInfo) showCaller(spreadError, error);
  return spreadError;
}

/** Shows the frames of the caller, which grpc-js keeps in the stack of its own error, and not those of its callbacks. */
function showCaller(spreadError: SpreadError, { stack = '' }: ServiceError): void {
  const [, caller] = stack.split('\nfor call at\n');
  if (caller !== undefined) spreadError.stack = `${spreadError.name}: ${spreadError.message}\n${caller}`;
}

/** Whether a mailbox that could not be disconnected has ended, or the sidecar is shutting down or cannot be reached. */
export function isGone(error: unknown): boolean {
  return (
    error instanceof SpreadError &&
    (isTransportFailure(error) || ['DRAINING', 'ILLEGAL_SESSION', 'LEASE_EXPIRED'].includes(error.reason))
  );
}

/** For the end of an `await using` block: an error of the end would hide the error of the block in a SuppressedError. */
export function ignoreSpreadError(error: unknown): void {
  if (!(error instanceof SpreadError)) throw error;
}

/**
 * Whether a stream that ended with this error was cut on the way, and not ended by the sidecar: the sidecar
 * gives a reason with every end of its own. One of them is that it cuts the connection.
 */
export function isTransportFailure(error: SpreadError): boolean {
  if (error.reason === 'CONNECTION_TOO_OLD' || error.reason === SIDECAR_UNREACHABLE) return true;
  return (
    error.reason === '' &&
    [status.UNAVAILABLE, status.CANCELLED, status.INTERNAL, status.UNKNOWN].includes(error.status)
  );
}
