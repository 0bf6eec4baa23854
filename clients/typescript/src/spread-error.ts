import { status as GrpcStatus } from '@grpc/grpc-js';
import { isSpreadErrorCode, SPREAD_ERRORS, type SpreadErrorCode } from './error-codes.js';

/** The name of a gRPC status, such as `UNAVAILABLE`. */
export type StatusName = keyof typeof GrpcStatus;

/**
 * The outcome of a failed send. `not-sent`: no byte of the message reached the daemon. `unknown`: the message
 * may have been sent, for example because a deadline passed or a connection broke. The client and the sidecar
 * never send a message twice. The application decides whether to send it again.
 */
export type SendOutcome = 'unknown' | 'not-sent';

/** The content of a {@link SpreadError}. */
export interface SpreadErrorInit {
  /** The gRPC status number. */
  status: number;
  /** `ErrorInfo.reason`. Empty for failures without a reason, such as failures of the transport. */
  reason?: string;
  /** `ErrorInfo.domain`: `spread.org`, `spread-sidecar`, or empty. */
  domain?: string;
  /** `ErrorInfo.metadata`. */
  metadata?: Readonly<Record<string, string>>;
  /** Whether the same call may succeed later. */
  retryable?: boolean;
  /** Time to wait before a retry, if the sidecar gave one. Unit: ms. */
  retryDelayMs?: number;
  /** Only for sends. */
  outcome?: SendOutcome;
  /** The cause: the ServiceError of gRPC if no sidecar responded, or the reason of an AbortSignal. */
  cause?: unknown;
}

/** The domain of Spread's own errors. */
const SPREAD_DOMAIN = 'spread.org';
/** The domain of the sidecar's own errors. */
export const SIDECAR_DOMAIN = 'spread-sidecar';

/**
 * The error of this package. `code` and `number` are Spread's name and number of the error
 * (`REJECT_NOT_UNIQUE`, -6). They are undefined for failures that Spread does not define, such as an expired
 * lease. `reason` is set for errors of Spread and of the sidecar.
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
   * `ErrorInfo.reason`: Spread's name of the error, or a value of the contract's ErrorReason without its
   * prefix, such as `LEASE_EXPIRED`. Empty for failures of the transport.
   */
  readonly reason: string;
  /** `ErrorInfo.domain`: `spread.org`, `spread-sidecar`, or empty. */
  readonly domain: string;
  /** `ErrorInfo.metadata`, such as `field` and `bound`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether the same call may succeed later. For a send, check {@link outcome} first. */
  readonly retryable: boolean;
  /** Time to wait before a retry, if the sidecar gave one. Unit: ms. */
  readonly retryDelayMs: number | undefined;
  /** For a failed send: whether the message may have been sent. Undefined for other calls. */
  readonly outcome: SendOutcome | undefined;

  /** @param message - a sentence for people */
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

  /** Contains Spread's code or the reason: `SpreadError: REJECT_NOT_UNIQUE (-6): …`. */
  override toString(): string {
    const label = this.code === undefined ? this.reason || this.statusName : `${this.code} (${this.number})`;
    return `${this.name}: ${label}: ${this.message}`;
  }
}

/** An error of Spread that the client finds before it sends anything. */
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

/** The error of every call of a mailbox after `disconnect` or `detach`. */
export const disconnectedError = () => localSpreadError('ILLEGAL_SESSION', 'the mailbox is disconnected');

/** The error of every call on a closed channel. */
export const channelClosedError = () =>
  new SpreadError('the channel is closed', { status: GrpcStatus.CANCELLED, outcome: 'not-sent' });

/** The client rejects a field that the contract cannot represent. */
export const fieldError = (field: string, bound: string, value: unknown) =>
  optionError(field, bound, `${field} must be ${bound}; got ${String(value)}`);

/** The client rejects an option, or options that exclude each other. */
export function optionError(field: string, bound: string, message: string): SpreadError {
  return new SpreadError(message, {
    status: GrpcStatus.INVALID_ARGUMENT,
    reason: 'FIELD_INVALID',
    domain: SIDECAR_DOMAIN,
    metadata: { field, bound },
    outcome: 'not-sent',
  });
}

/** C6: a response breaks a rule of the contract. `problem` continues "the response of GetView". */
export function invalidResponse(call: string, problem: string, outcome?: SendOutcome): SpreadError {
  return new SpreadError(`the response of ${call} ${problem}`, { status: GrpcStatus.INTERNAL, outcome });
}
