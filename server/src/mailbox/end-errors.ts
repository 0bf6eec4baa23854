import { SpreadError, toSpreadError } from '../spread/spread-error.js';
import type { SpreadCodeName } from '../spread/wire/index.js';
import type { MailboxEnd } from './mailbox-types.js';
import { MailboxError, type Outcome } from './sidecar-error.js';

/** A failed send as a Spread error, with its outcome. */
export class SendFailure extends SpreadError {
  constructor(
    code: SpreadCodeName,
    message: string,
    readonly outcome: Outcome,
    cause?: unknown,
  ) {
    super(code, message, { cause });
  }
}

/** The error of a call on a mailbox that has ended. Nothing of the call was sent. */
export function refusedAfter(end: MailboxEnd): Error {
  switch (end.reason) {
    case 'CONNECTION_CLOSED':
      // Like in Spread's own library, the loss is reported once. Later calls fail because the session is lost.
      return new SendFailure(
        'NET_ERROR_ON_SESSION',
        'the mailbox has lost its daemon connection; its events can still be received',
        'not-sent',
      );
    default:
      return sidecarEnd(end, 'not-sent');
  }
}

/** The error of a call that waited when the mailbox ended. */
export function interruptedBy(end: MailboxEnd, outcome: Outcome): Error {
  if (end.reason === 'CONNECTION_CLOSED') return new SendFailure('CONNECTION_CLOSED', end.message, outcome);
  return sidecarEnd(end, outcome);
}

function sidecarEnd(end: MailboxEnd, outcome: Outcome): MailboxError {
  const metadata = { ...end.metadata, outcome, last_sequence: String(end.lastSequence) };
  switch (end.reason) {
    case 'QUEUE_OVERFLOW':
    case 'SLOW_CONSUMER':
    case 'LEASE_EXPIRED':
    case 'DRAINING':
    case 'INTERNAL':
      return new MailboxError(end.reason, end.message, metadata);
    default:
      return new MailboxError('MAILBOX_DISCONNECTED', 'the mailbox was disconnected', metadata);
  }
}

/** The caller's deadline passed, or the caller disconnected. */
export function deadlineExceeded(outcome: Outcome): MailboxError {
  const message =
    outcome === 'not-sent'
      ? 'the deadline of the call passed; nothing was sent'
      : 'the deadline of the call passed before it was complete; the outcome is unknown';
  return new MailboxError('DEADLINE_EXCEEDED', message, { outcome });
}

/** Runs a check of the wire layer, whose errors become SpreadErrors. */
export function inSpreadTerms<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    throw error instanceof MailboxError ? error : toSpreadError(error);
  }
}
