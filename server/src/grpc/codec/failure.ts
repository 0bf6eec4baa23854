import { randomBytes } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { SendFailure } from '../../mailbox/end-errors.js';
import type { MailboxEnd } from '../../mailbox/mailbox-types.js';
import { SidecarError, type SidecarReason } from '../../mailbox/sidecar-error.js';
import { errorRow } from '../../spread/error-table.js';
import { SpreadError } from '../../spread/spread-error.js';

/** Reason domain of Spread's own errors. */
const SPREAD_DOMAIN = 'spread.org';
/** Reason domain of the sidecar's own errors. */
const SIDECAR_DOMAIN = 'spread-sidecar';

/** A failure in the contract's terms. */
export interface Failure {
  readonly code: status;
  readonly sentence: string;
  /** UPPER_SNAKE_CASE. */
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Set when the same call may succeed later: how long to wait first. Unit: ms. */
  readonly retryDelayMs?: number;
}

/** Told of a defect of the sidecar, with the id that the caller was given. */
export type ReportDefect = (error: unknown, logId: string) => void;

/** Status of each of the sidecar's own reasons, as the contract's ErrorReason says. */
export const SIDECAR_STATUS: Readonly<Record<SidecarReason, status>> = {
  MALFORMED_REQUEST: status.INVALID_ARGUMENT,
  FIELD_REQUIRED: status.INVALID_ARGUMENT,
  FIELD_INVALID: status.INVALID_ARGUMENT,
  LIMIT_OUT_OF_RANGE: status.INVALID_ARGUMENT,
  DAEMON_NOT_ALLOWED: status.PERMISSION_DENIED,
  RECEIVER_REPLACED: status.ABORTED,
  SEQUENCE_NOT_RETAINED: status.OUT_OF_RANGE,
  LEASE_EXPIRED: status.ABORTED,
  QUEUE_OVERFLOW: status.RESOURCE_EXHAUSTED,
  DRAINING: status.UNAVAILABLE,
  TOO_MANY_MAILBOXES: status.RESOURCE_EXHAUSTED,
  TOO_MANY_GROUPS: status.RESOURCE_EXHAUSTED,
  SEND_QUEUE_FULL: status.RESOURCE_EXHAUSTED,
  ADMIN_ONLY: status.PERMISSION_DENIED,
  NO_VIEW: status.NOT_FOUND,
  MEMBERSHIP_OFF: status.FAILED_PRECONDITION,
  RECONNECT_NOT_SUPPORTED: status.UNIMPLEMENTED,
  MAILBOX_DISCONNECTED: status.ABORTED,
  INTERNAL: status.INTERNAL,
  TOTAL_QUEUE_FULL: status.RESOURCE_EXHAUSTED,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  VIEW_NOT_COMING: status.FAILED_PRECONDITION,
  CREDENTIAL_MISSING: status.UNAUTHENTICATED,
  CREDENTIAL_INVALID: status.UNAUTHENTICATED,
  RECONNECTING: status.UNAVAILABLE,
  TOO_MANY_CALLS: status.RESOURCE_EXHAUSTED,
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  REQUEST_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  REQUEST_TIMEOUT: status.DEADLINE_EXCEEDED,
  REQUEST_BUFFER_FULL: status.RESOURCE_EXHAUSTED,
  CONNECTION_TOO_OLD: status.UNAVAILABLE,
  COMPRESSION_NOT_SUPPORTED: status.UNIMPLEMENTED,
  SLOW_CONSUMER: status.RESOURCE_EXHAUSTED,
};

/** Advice for UNAVAILABLE. Long enough for a daemon or another sidecar to come up, short enough for a person. */
const RETRY_DELAY_MS = 1000;

const INTERNAL_SENTENCE = 'an internal error of the sidecar; its log has the cause under the log_id';

/** Turns whatever was thrown into a Failure; what nobody foresaw goes to the log and not to the caller. */
export class FailureTranslator {
  /**
   * @param onSpreadError told of each Spread error that a caller is answered with, such as ILLEGAL_GROUP
   * @param onLimit told of each limit that a caller ran into, such as mailbox.maxGroups
   */
  constructor(
    private readonly reportDefect: ReportDefect,
    private readonly onSpreadError: (code: string) => void = () => {},
    private readonly onLimit: (limit: string) => void = () => {},
  ) {}

  of(error: unknown): Failure {
    if (error instanceof SpreadError && errorRow(error.code).grpcStatus !== 'INTERNAL') {
      this.onSpreadError(error.code);
      return spreadFailure(error);
    }
    if (error instanceof SidecarError) {
      if (error.metadata.limit !== undefined) this.onLimit(error.metadata.limit);
      return sidecarFailure(error);
    }
    const logId = randomBytes(8).toString('hex');
    this.reportDefect(error, logId);
    return {
      code: status.INTERNAL,
      sentence: INTERNAL_SENTENCE,
      reason: 'INTERNAL',
      domain: SIDECAR_DOMAIN,
      metadata: { log_id: logId },
    };
  }
}

function spreadFailure(error: SpreadError): Failure {
  const row = errorRow(error.code);
  const metadata: Record<string, string> = { spread_code: String(row.number), spread_error: row.code };
  if (error.field !== undefined) metadata.field = error.field;
  if (error.bound !== undefined) metadata.bound = error.bound;
  const failure = {
    code: status[row.grpcStatus],
    sentence: error.message,
    reason: row.code,
    domain: SPREAD_DOMAIN,
    metadata,
  };
  // A send that failed is not worth repeating: its mailbox has ended, and it may have been sent.
  if (error instanceof SendFailure) metadata.outcome = error.outcome;
  else if (row.retryable && failure.code === status.UNAVAILABLE) {
    return { ...failure, retryDelayMs: RETRY_DELAY_MS };
  }
  return failure;
}

export function sidecarFailure(error: SidecarError): Failure {
  const failure = {
    code: SIDECAR_STATUS[error.reason],
    sentence: error.message,
    reason: error.reason,
    domain: SIDECAR_DOMAIN,
    metadata: error.metadata,
  };
  const repeatable = failure.code === status.UNAVAILABLE && error.metadata.outcome !== 'unknown';
  const retryDelayMs = error.retryDelayMs ?? (repeatable ? RETRY_DELAY_MS : undefined);
  return retryDelayMs === undefined ? failure : { ...failure, retryDelayMs };
}

/** How a stream that ends with its mailbox ends; undefined means OK. No retry: the mailbox will not come back. */
export function endFailure(end: MailboxEnd): Failure | undefined {
  const metadata = { ...end.metadata, last_sequence: String(end.lastSequence) };
  switch (end.reason) {
    case 'DISCONNECTED':
      return undefined;
    case 'CONNECTION_CLOSED': {
      const { code, number, grpcStatus } = errorRow(end.spreadCode ?? 'CONNECTION_CLOSED');
      return {
        code: status[grpcStatus],
        sentence: end.message,
        reason: code,
        domain: SPREAD_DOMAIN,
        metadata: { ...metadata, spread_code: String(number), spread_error: code },
      };
    }
    default:
      return {
        code: SIDECAR_STATUS[end.reason],
        sentence: end.message,
        reason: end.reason,
        domain: SIDECAR_DOMAIN,
        metadata,
      };
  }
}
