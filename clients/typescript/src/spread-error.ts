import { status as GrpcStatus } from '@grpc/grpc-js';
import { isSpreadErrorCode, SPREAD_ERRORS, type SpreadErrorCode } from './error-codes.js';

/** The name of a gRPC status, such as `UNAVAILABLE`. */
export type StatusName = keyof typeof GrpcStatus;

/**
 * What became of a message whose sending failed: `not-sent` when it is known that no byte of it reached the
 * daemon, `unknown` when that can't be told (a deadline passed, a connection broke). Nothing is ever sent
 * twice by the client or the sidecar; whether to send again is the application's decision.
 */
export type SendOutcome = 'unknown' | 'not-sent';

/** What a {@link SpreadError} is made of. */
export interface SpreadErrorInit {
  /** The gRPC status number. */
  status: number;
  /** `ErrorInfo.reason`; empty when the failure came without one, as those of the transport do. */
  reason?: string;
  /** `ErrorInfo.domain`: `spread.org`, `spread-sidecar`, or empty. */
  domain?: string;
  /** `ErrorInfo.metadata`. */
  metadata?: Readonly<Record<string, string>>;
  /** Whether the same call may succeed later. */
  retryable?: boolean;
  /** How long to wait before the next try, if the sidecar said so. Unit: ms. */
  retryDelayMs?: number;
  /** For sends. */
  outcome?: SendOutcome;
  /** What it came from: the ServiceError of gRPC when no sidecar answered, or the reason of an AbortSignal. */
  cause?: unknown;
}

/** The domain of Spread's own errors. */
const SPREAD_DOMAIN = 'spread.org';
/** The domain of the sidecar's own errors. */
export const SIDECAR_DOMAIN = 'spread-sidecar';

/**
 * Every failure of this package. `code` and `number` are Spread's own (`REJECT_NOT_UNIQUE`, -6) and are not
 * set for a failure that Spread has no number for, such as a lease that ended; `reason` names those too.
 */
export class SpreadError extends Error {
  override readonly name = 'SpreadError';
  /** Spread's name for the error, such as `ILLEGAL_GROUP`. */
  readonly code: SpreadErrorCode | undefined;
  /** Spread's number for the error, such as -14. */
  readonly number: number | undefined;
  /** The gRPC status number. */
  readonly status: number;
  /** The gRPC status name, such as `INVALID_ARGUMENT`. */
  readonly statusName: StatusName;
  /**
   * `ErrorInfo.reason`: Spread's name, or a value of the contract's ErrorReason without its prefix, such as
   * `LEASE_EXPIRED`. Empty for failures of the transport.
   */
  readonly reason: string;
  /** `ErrorInfo.domain`: `spread.org`, `spread-sidecar`, or empty. */
  readonly domain: string;
  /** `ErrorInfo.metadata`, such as `field` and `bound`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether the same call may succeed later. For a send, see {@link outcome} first. */
  readonly retryable: boolean;
  /** How long to wait before the next try, if the sidecar said so. Unit: ms. */
  readonly retryDelayMs: number | undefined;
  /** For a failed send: whether the message may have been sent. Not set for other calls. */
  readonly outcome: SendOutcome | undefined;

  /** @param message - a sentence for a person */
  constructor(message: string, init: SpreadErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.status = init.status;
    this.statusName = (GrpcStatus[init.status] ?? 'UNKNOWN') as StatusName;
    this.reason = init.reason ?? '';
    this.domain = init.domain ?? '';
    this.metadata = init.metadata ?? {};
    this.retryable = init.retryable ?? false;
    this.retryDelayMs = init.retryDelayMs;
    this.outcome = init.outcome;
    const named = this.domain === SPREAD_DOMAIN && isSpreadErrorCode(this.reason) ? this.reason : undefined;
    this.code = named;
    this.number = named === undefined ? undefined : SPREAD_ERRORS[named];
  }

  /** With Spread's code or the reason: `SpreadError: REJECT_NOT_UNIQUE (-6): …`. */
  override toString(): string {
    const label = this.code === undefined ? this.reason || this.statusName : `${this.code} (${this.number})`;
    return `${this.name}: ${label}: ${this.message}`;
  }
}

/** An error of Spread that is found on this side, before anything is sent. */
export function localSpreadError(
  code: SpreadErrorCode,
  message: string,
  metadata: Record<string, string> = {},
): SpreadError {
  return new SpreadError(message, {
    status: code === 'ILLEGAL_SESSION' ? GrpcStatus.NOT_FOUND : GrpcStatus.INVALID_ARGUMENT,
    reason: code,
    domain: SPREAD_DOMAIN,
    metadata: { spread_code: String(SPREAD_ERRORS[code]), ...metadata },
    outcome: 'not-sent',
  });
}

/** The error of every call of a mailbox after its disconnect or detach. */
export const disconnectedError = () => localSpreadError('ILLEGAL_SESSION', 'the mailbox is disconnected');

/** The error of every call on a channel that is closed. */
export const channelClosedError = () =>
  new SpreadError('the channel is closed', { status: GrpcStatus.CANCELLED, outcome: 'not-sent' });

/** A field that this side refuses because the contract can't even carry it. */
export function fieldError(field: string, bound: string, value: unknown): SpreadError {
  return new SpreadError(`${field} must be ${bound}; got ${String(value)}`, {
    status: GrpcStatus.INVALID_ARGUMENT,
    reason: 'FIELD_INVALID',
    domain: SIDECAR_DOMAIN,
    metadata: { field, bound },
    outcome: 'not-sent',
  });
}

/** The answer of a call lacks what the contract says is always in it. */
export function incompleteAnswer(call: string, what: string): SpreadError {
  return new SpreadError(`${call} was answered without ${what}`, { status: GrpcStatus.INTERNAL });
}
