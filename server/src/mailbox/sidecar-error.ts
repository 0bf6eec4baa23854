/** The reasons that mailboxes raise. proto/errors.yaml describes each. */
export type MailboxReason =
  | 'FIELD_REQUIRED'
  | 'FIELD_INVALID'
  | 'LIMIT_OUT_OF_RANGE'
  | 'DAEMON_NOT_ALLOWED'
  | 'RECEIVER_REPLACED'
  | 'SEQUENCE_NOT_RETAINED'
  | 'LEASE_EXPIRED'
  | 'QUEUE_OVERFLOW'
  | 'DRAINING'
  | 'TOO_MANY_MAILBOXES'
  | 'TOO_MANY_GROUPS'
  | 'SEND_QUEUE_FULL'
  | 'NO_VIEW'
  | 'MEMBERSHIP_OFF'
  | 'MAILBOX_DISCONNECTED'
  | 'INTERNAL'
  | 'TOTAL_QUEUE_FULL'
  | 'DEADLINE_EXCEEDED'
  | 'VIEW_NOT_COMING'
  | 'RECONNECTING'
  | 'SLOW_CONSUMER';

/** The outcome of a failed send: nothing was sent, or unknown. */
export type Outcome = 'not-sent' | 'unknown';

/**
 * A failure of the sidecar, in contrast to Spread's. `metadata` goes to the caller unchanged, with the contract's
 * keys: field, limit, bound, time, outcome, last_sequence, oldest_retained_sequence.
 */
export abstract class SidecarError<Reason extends string> extends Error {
  override readonly name = 'SidecarError';
  /** The delay before a retry, if it is known. Unit: ms. */
  readonly retryDelayMs: number | undefined;

  constructor(
    readonly reason: Reason,
    message: string,
    readonly metadata: Readonly<Record<string, string>> = {},
    options?: ErrorOptions & { readonly retryDelayMs?: number },
  ) {
    super(message, options);
    this.retryDelayMs = options?.retryDelayMs;
  }
}

/** A failure that a mailbox raises. */
export class MailboxError extends SidecarError<MailboxReason> {}
