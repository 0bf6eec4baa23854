import { randomBytes } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { SendFailure } from '../../mailbox/end-errors.js';
import type { MailboxEnd } from '../../mailbox/mailbox-types.js';
import { SidecarError } from '../../mailbox/sidecar-error.js';
import { SpreadError } from '../../spread/spread-error.js';
import { SpreadCode } from '../../spread/wire/index.js';
import type { SidecarReason } from './edge-error.js';
import { EDGE_ERRORS, MAILBOX_ERRORS, SPREAD_ERRORS } from './error-table.js';

/** ErrorInfo domain of Spread's own errors. */
const SPREAD_DOMAIN = 'spread.org';
/** ErrorInfo domain of the sidecar's own errors. */
const SIDECAR_DOMAIN = 'spread-sidecar';

/** A failure in the contract's terms. */
export interface Failure {
  readonly code: status;
  readonly sentence: string;
  /** UPPER_SNAKE_CASE. */
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Set when the same call may succeed later: the delay before the retry. Unit: ms. */
  readonly retryDelayMs?: number;
}

/** Called for a defect of the sidecar, with the ID that the caller received. */
export type ReportDefect = (error: unknown, logId: string) => void;

const SIDECAR_ERRORS = { ...MAILBOX_ERRORS, ...EDGE_ERRORS };

/** The default retry delay: long enough for a daemon or another sidecar to start, short enough for a person. */
const RETRY_DELAY_MS = 1000;

const INTERNAL_SENTENCE = 'an internal error of the sidecar; its log has the cause under the log_id';

/** Turns a thrown value into a Failure. The details of an unexpected error go to the log, not to the caller. */
export class FailureTranslator {
  /**
   * @param onSpreadError called for each Spread error in a response, such as ILLEGAL_GROUP
   * @param onLimit called for each exceeded limit in a response, such as mailbox.maxGroups
   */
  constructor(
    private readonly reportDefect: ReportDefect,
    private readonly onSpreadError: (code: string) => void = () => {},
    private readonly onLimit: (limit: string) => void = () => {},
  ) {}

  of(error: unknown): Failure {
    if (error instanceof SpreadError && SPREAD_ERRORS[error.code].status !== status.INTERNAL) {
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
  const { status: code, advisesRetry } = SPREAD_ERRORS[error.code];
  const metadata: Record<string, string> = { spread_code: String(error.number), spread_error: error.code };
  if (error.field !== undefined) metadata.field = error.field;
  if (error.bound !== undefined) metadata.bound = error.bound;
  const failure = {
    code,
    sentence: error.message,
    reason: error.code,
    domain: SPREAD_DOMAIN,
    metadata,
  };
  // A failed send must not be retried: its mailbox has ended, and the message may have been sent.
  if (error instanceof SendFailure) metadata.outcome = error.outcome;
  else if (advisesRetry) return { ...failure, retryDelayMs: RETRY_DELAY_MS };
  return failure;
}

export function sidecarFailure(error: SidecarError<SidecarReason>): Failure {
  const { status: code, advisesRetry } = SIDECAR_ERRORS[error.reason];
  const failure = {
    code,
    sentence: error.message,
    reason: error.reason,
    domain: SIDECAR_DOMAIN,
    metadata: error.metadata,
  };
  const repeatable = advisesRetry && error.metadata.outcome !== 'unknown';
  const retryDelayMs = error.retryDelayMs ?? (repeatable ? RETRY_DELAY_MS : undefined);
  return retryDelayMs === undefined ? failure : { ...failure, retryDelayMs };
}

/**
 * The status of a stream that ends with its mailbox. Undefined means OK. Without a retry delay, because the
 * mailbox does not return.
 */
export function endFailure(end: MailboxEnd): Failure | undefined {
  const metadata = { ...end.metadata, last_sequence: String(end.lastSequence) };
  switch (end.reason) {
    case 'DISCONNECTED':
      return undefined;
    case 'CONNECTION_CLOSED': {
      const code = end.spreadCode ?? 'CONNECTION_CLOSED';
      return {
        code: SPREAD_ERRORS[code].status,
        sentence: end.message,
        reason: code,
        domain: SPREAD_DOMAIN,
        metadata: { ...metadata, spread_code: String(SpreadCode[code]), spread_error: code },
      };
    }
    default:
      return {
        code: SIDECAR_ERRORS[end.reason].status,
        sentence: end.message,
        reason: end.reason,
        domain: SIDECAR_DOMAIN,
        metadata,
      };
  }
}
