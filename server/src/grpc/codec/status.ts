import { Metadata, type ServerInterceptingCallInterface, type status } from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo, RichStatus } from 'spread-sidecar-proto';
import { EdgeError } from './edge-error.js';
import { type Failure, sidecarFailure } from './failure.js';
import type { Malformed } from './malformed.js';
import { durationOf } from './time.js';

/** A status in the form of grpc-js, which does not export its own type. */
export type SentStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

const DETAILS = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/**
 * Limits of text in trailers: grpc-java rejects a response with more than 8 KiB of headers, and percent-encoding
 * can triple the size.
 */
const MAX_SENTENCE_LENGTH = 500;
const MAX_METADATA_VALUE_LENGTH = 200;

/** An error in the form that grpc-js accepts from a handler. Every failure leaves the sidecar in this form. */
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

/** The failure as status, message and `grpc-status-details-bin`. */
export function statusError(failure: Failure, trailers: Readonly<Record<string, string>> = {}): StatusError {
  const sentence = presentable(failure.sentence, MAX_SENTENCE_LENGTH);
  const metadata = trailersOf(trailers);
  metadata.set(DETAILS, richStatus(failure, sentence));
  return new StatusError(failure.code, sentence, metadata);
}

/** Additional trailers beside the status. */
export function trailersOf(trailers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return metadata;
}

/** For a request that is not a message of the contract. */
export function malformedError(malformed: Malformed): EdgeError {
  return new EdgeError(
    'MALFORMED_REQUEST',
    `the request is not a valid message of this contract: ${malformed.problem}`,
  );
}

export function malformedStatus(malformed: Malformed): StatusError {
  return statusError(sidecarFailure(malformedError(malformed)));
}

/** For calls that are still open when the time of a drain has passed. */
export function drainingStatus(): StatusError {
  const metadata = { outcome: 'unknown' };
  return statusError(sidecarFailure(new EdgeError('DRAINING', 'the sidecar is shutting down', metadata)));
}

/** Whether a status has more than a code and a message. */
export function isDescribed({ metadata }: SentStatus): boolean {
  return (metadata?.get(DETAILS).length ?? 0) > 0;
}

function richStatus(failure: Failure, sentence: string): Buffer {
  const entries = Object.entries(failure.metadata);
  const metadata = new Map(
    entries.map(([key, value]) => [key, presentable(value, MAX_METADATA_VALUE_LENGTH)] as const),
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

/** Truncates text and removes lone surrogates, which neither UTF-8 nor percent-encoding can represent. */
function presentable(text: string, maxLength: number): string {
  const bounded = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return bounded.replace(/\p{Surrogate}/gu, '\ufffd');
}
