import { Metadata, type ServerInterceptingCallInterface, type status } from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo, RichStatus } from 'spread-sidecar-proto';
import { EdgeError } from './edge-error.js';
import { type Failure, sidecarFailure } from './failure.js';
import type { Malformed } from './malformed.js';
import { durationOf } from './time.js';

/** A status as grpc-js sends it; grpc-js does not export its own name for the type. */
export type SentStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

const DETAILS = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/**
 * Bounds of what goes into trailers: grpc-java rejects a response whose headers have more than 8 KiB, and
 * percent-encoding makes up to three bytes of one.
 */
const MAX_SENTENCE_LENGTH = 500;
const MAX_METADATA_VALUE_LENGTH = 200;

/** An error as grpc-js takes it from a handler. The only form in which a failure leaves. */
export class StatusError extends Error {
  override readonly name = 'StatusError';

  constructor(
    readonly code: status,
    readonly details: string,
    readonly metadata: Metadata,
  ) {
    super(details);
  }
}

/** The failure as status, sentence and `grpc-status-details-bin`. */
export function statusError(failure: Failure, trailers: Readonly<Record<string, string>> = {}): StatusError {
  const sentence = presentable(failure.sentence, MAX_SENTENCE_LENGTH);
  const metadata = trailersOf(trailers);
  metadata.set(DETAILS, richStatus(failure, sentence));
  return new StatusError(failure.code, sentence, metadata);
}

/** Trailers of our own, beside the status. */
export function trailersOf(trailers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return metadata;
}

/** For a request that is no message of the contract. */
export function malformedError(malformed: Malformed): EdgeError {
  return new EdgeError(
    'MALFORMED_REQUEST',
    `the request is not a valid message of this contract: ${malformed.problem}`,
  );
}

export function malformedStatus(malformed: Malformed): StatusError {
  return statusError(sidecarFailure(malformedError(malformed)));
}

/** For calls that are still open when a drain runs out of time. */
export function drainingStatus(): StatusError {
  const metadata = { outcome: 'unknown' };
  return statusError(sidecarFailure(new EdgeError('DRAINING', 'the sidecar is shutting down', metadata)));
}

/** Whether a status says more than its code and sentence. */
export function isDescribed({ metadata }: SentStatus): boolean {
  return (metadata?.get(DETAILS).length ?? 0) > 0;
}

function richStatus(failure: Failure, sentence: string): Buffer {
  const entries = Object.entries(failure.metadata);
  const metadata = Object.fromEntries(
    entries.map(([key, value]) => [key, presentable(value, MAX_METADATA_VALUE_LENGTH)]),
  );
  const { reason, domain } = failure;
  const details = [
    {
      typeUrl: `${TYPE_PREFIX}ErrorInfo`,
      value: Buffer.from(ErrorInfo.encode({ reason, domain, metadata }).finish()),
    },
  ];
  if (failure.retryDelayMs !== undefined) {
    const retryDelay = durationOf(failure.retryDelayMs);
    details.push({
      typeUrl: `${TYPE_PREFIX}RetryInfo`,
      value: Buffer.from(RetryInfo.encode({ retryDelay }).finish()),
    });
  }
  return Buffer.from(RichStatus.encode({ code: failure.code, message: sentence, details }).finish());
}

/** Bounded, and without the lone surrogates that neither UTF-8 nor percent-encoding can carry. */
function presentable(text: string, maxLength: number): string {
  const bounded = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return bounded.replace(/\p{Surrogate}/gu, '\ufffd');
}
