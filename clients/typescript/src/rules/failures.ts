import { status } from '@grpc/grpc-js';
import type { SendOutcome, SpreadError } from '../spread-error.js';

/** The reason of calls that failed because no connection to the sidecar was possible. Nothing was sent. */
export const SIDECAR_UNREACHABLE = 'SIDECAR_UNREACHABLE';
/** The reason of calls to a server that does not implement them. Nothing was sent. */
export const NOT_A_SIDECAR = 'NOT_A_SIDECAR';

type Failure = Pick<SpreadError, 'status' | 'reason'>;

/** F1: the reasons of transport failures. */
const TRANSPORT_REASONS = new Set(['CONNECTION_TOO_OLD', SIDECAR_UNREACHABLE]);
/** F1: the statuses of transport failures without a reason. */
const TRANSPORT_STATUSES = new Set([status.UNAVAILABLE, status.CANCELLED, status.INTERNAL, status.UNKNOWN]);
/** F3: attaching again would replace the new receiver, or fail again. */
const STREAM_ONLY_REASONS = new Set(['RECEIVER_REPLACED', 'SEQUENCE_NOT_RETAINED']);
/** F4 */
const MAILBOX_END_REASONS = new Set([
  'ILLEGAL_SESSION',
  'LEASE_EXPIRED',
  'MAILBOX_DISCONNECTED',
  'CONNECTION_CLOSED',
  'NET_ERROR_ON_SESSION',
  'QUEUE_OVERFLOW',
  'SLOW_CONSUMER',
  'DRAINING',
]);
/** F6: after these statuses without an ErrorInfo, the sidecar may have executed the request. */
const UNKNOWN_OUTCOME_STATUSES = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNKNOWN,
]);

/** F1: whether the connection broke. The sidecar gives a reason when it ends a stream or a connection. */
export function isTransportFailure(error: Failure): boolean {
  return TRANSPORT_REASONS.has(error.reason) || (error.reason === '' && TRANSPORT_STATUSES.has(error.status));
}

/** F2: whether a later call with the same mailbox may succeed. */
export function mayPass(error: Failure, tokenMayChange: boolean): boolean {
  return isTransportFailure(error) || (tokenMayChange && error.status === status.UNAUTHENTICATED);
}

/** F3: whether the error ends a stream, but not its mailbox. */
export const endsStreamOnly = (error: Failure): boolean => STREAM_ONLY_REASONS.has(error.reason);

/** F4: whether the error means that the mailbox has ended. */
export const endsMailbox = (error: Failure): boolean => MAILBOX_END_REASONS.has(error.reason);

/** F5: whether the same call may succeed later. */
export function isRetryable(code: number, hasErrorInfo: boolean, hasRetryInfo: boolean): boolean {
  return hasRetryInfo || (code === status.UNAVAILABLE && !hasErrorInfo);
}

/**
 * F6: the outcome of a failed send.
 *
 * @param metadata - the metadata of the ErrorInfo. Undefined without an ErrorInfo
 */
export function outcomeOf(code: number, metadata: ReadonlyMap<string, string> | undefined): SendOutcome {
  const outcome = metadata?.get('outcome');
  if (outcome === 'unknown' || outcome === 'not-sent') return outcome;
  // With an ErrorInfo, the sidecar itself responded: unless it says otherwise, it rejected the message.
  if (metadata) return code === status.INTERNAL ? 'unknown' : 'not-sent';
  return UNKNOWN_OUTCOME_STATUSES.has(code) ? 'unknown' : 'not-sent';
}

/** F6: whether the reason alone means that nothing was sent. */
export const meansNotSent = ({ reason }: Failure): boolean =>
  reason === SIDECAR_UNREACHABLE || reason === NOT_A_SIDECAR;

/** C3: whether disconnect returns false after this error, instead of failing. */
export const isIgnoredByDisconnect = (error: Failure): boolean =>
  isTransportFailure(error) || endsMailbox(error);

/** C7: whether a later GetVersion of `waitForReady` may succeed. */
export const mayBecomeReady = (error: Failure): boolean =>
  error.status === status.UNAVAILABLE || error.status === status.DEADLINE_EXCEEDED;
