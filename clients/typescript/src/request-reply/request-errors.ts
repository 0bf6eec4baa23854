import { status } from '@grpc/grpc-js';
import { fieldError, SIDECAR_DOMAIN, SpreadError } from '../spread-error.js';

/** Maximum number of open requests of one object (Q10). */
export const MAX_OPEN_REQUESTS = 10_000;
/** Largest message of a failed handler. Unit: bytes. */
const MAX_ERROR_BYTES = 1000;

export function checkCount(field: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw fieldError(field, `a whole number, ${least} or more`, value);
}

/** The message of an error, cut to a length that fits in a reply. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (Buffer.byteLength(text) <= MAX_ERROR_BYTES) return text;
  return new TextDecoder().decode(Buffer.from(text).subarray(0, MAX_ERROR_BYTES), { stream: true });
}

export const tooManyRequests = () =>
  new SpreadError(`too many requests are open; at most ${MAX_OPEN_REQUESTS} are allowed`, {
    status: status.RESOURCE_EXHAUSTED,
    reason: 'TOO_MANY_CALLS',
    domain: SIDECAR_DOMAIN,
    metadata: { limit: 'requests', bound: String(MAX_OPEN_REQUESTS) },
    retryable: true,
    outcome: 'not-sent',
  });

/** The end of the mailbox as the error of an open request, whose message may have been sent. */
export function withUnknownOutcome(end: SpreadError): SpreadError {
  const { message, reason, domain, metadata, retryable, retryDelayMs } = end;
  const rest = retryDelayMs === undefined ? {} : { retryDelayMs };
  const init = { status: end.status, reason, domain, metadata, retryable, ...rest };
  return new SpreadError(message, { ...init, outcome: 'unknown', cause: end });
}

export const connectionLost = () =>
  new SpreadError('the sidecar lost the daemon connection while the request waited for replies', {
    status: status.UNAVAILABLE,
    outcome: 'unknown',
  });
