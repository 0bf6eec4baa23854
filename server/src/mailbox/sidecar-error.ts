/** The sidecar's own reasons: the values of the contract's ErrorReason without their prefix. */
export type SidecarReason =
  | 'MALFORMED_REQUEST'
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
  | 'ADMIN_ONLY'
  | 'NO_VIEW'
  | 'MEMBERSHIP_OFF'
  | 'RECONNECT_NOT_SUPPORTED'
  | 'MAILBOX_DISCONNECTED'
  | 'INTERNAL'
  | 'TOTAL_QUEUE_FULL'
  | 'DEADLINE_EXCEEDED'
  | 'VIEW_NOT_COMING'
  | 'CREDENTIAL_MISSING'
  | 'CREDENTIAL_INVALID'
  | 'RECONNECTING'
  | 'TOO_MANY_CALLS'
  | 'RATE_LIMITED'
  | 'REQUEST_TOO_LARGE'
  | 'REQUEST_TIMEOUT'
  | 'REQUEST_BUFFER_FULL'
  | 'CONNECTION_TOO_OLD'
  | 'COMPRESSION_NOT_SUPPORTED'
  | 'SLOW_CONSUMER';

/** What became of a send that failed: nothing of it left the sidecar, or nobody can tell. */
export type Outcome = 'not-sent' | 'unknown';

/**
 * A failure that is the sidecar's own and not Spread's. `metadata` goes to the caller as it is, with the
 * contract's keys: field, limit, bound, time, outcome, last_sequence, oldest_retained_sequence.
 */
export class SidecarError extends Error {
  override readonly name = 'SidecarError';
  /** When it is worth to try again, where that is known. Unit: ms. */
  readonly retryDelayMs: number | undefined;

  constructor(
    readonly reason: SidecarReason,
    message: string,
    readonly metadata: Readonly<Record<string, string>> = {},
    options?: ErrorOptions & { readonly retryDelayMs?: number },
  ) {
    super(message, options);
    this.retryDelayMs = options?.retryDelayMs;
  }
}
