import { status } from '@grpc/grpc-js';
import { EdgeError } from '../codec/edge-error.js';
import { sidecarFailure } from '../codec/failure.js';
import { isDescribed, type SentStatus, statusError } from '../codec/status.js';

/** The limits of the server, for messages. */
export interface TransportBounds {
  readonly maxRequestBytes: number;
}

type Row = readonly [code: status, details: RegExp, describe: (bounds: TransportBounds) => EdgeError];

const malformed = (problem: string) => () =>
  new EdgeError('MALFORMED_REQUEST', `the request is not a valid message of this contract: ${problem}`);

const tooLarge = ({ maxRequestBytes }: TransportBounds) =>
  requestTooLarge(maxRequestBytes, 'grpc.maxReceiveMessageBytes');

/** For a request message that is too large. */
export function requestTooLarge(maxBytes: number, limit: string): EdgeError {
  const bound = `0 to ${maxBytes} bytes`;
  return new EdgeError('REQUEST_TOO_LARGE', `the request message is too large; the limit is ${bound}`, {
    limit,
    bound,
    outcome: 'not-sent',
  });
}

/**
 * The contract's versions of the statuses that grpc-js creates itself, below every handler. They are recognized by
 * their text. A test makes grpc-js create each.
 */
const ROWS: readonly Row[] = [
  [
    status.DEADLINE_EXCEEDED,
    /^/,
    () =>
      // The outcome of the call is unknown.
      new EdgeError('DEADLINE_EXCEEDED', 'the deadline passed before the call was complete', {
        outcome: 'unknown',
      }),
  ],
  [status.RESOURCE_EXHAUSTED, /^Received message (larger than max|that decompresses to)/, tooLarge],
  [status.INTERNAL, /^Failed to decompress/, malformed('its compression is broken')],
  [status.INTERNAL, /^Invalid grpc-timeout/, malformed('its header grpc-timeout is invalid')],
  [status.UNIMPLEMENTED, /^Received no request message/, malformed('the request has no message')],
  [
    status.UNIMPLEMENTED,
    /^Received a second request message/,
    malformed('the request has more than one message'),
  ],
  [
    status.UNIMPLEMENTED,
    /^Received message compressed with unsupported encoding/,
    () => compressionRefused('but this sidecar does not support this compression'),
  ],
];

/** The status that replaces one without details, and its limit. */
export function describeTransportStatus(
  given: SentStatus,
  bounds: TransportBounds,
): { readonly status: SentStatus; readonly limit?: string | undefined } {
  if (isDescribed(given)) return { status: given };
  const row = ROWS.find(([code, details]) => code === given.code && details.test(given.details ?? ''));
  if (row === undefined) return { status: given };
  const error = row[2](bounds);
  return { status: statusError(sidecarFailure(error)), limit: error.metadata.limit };
}

/** For a compressed request. */
export function compressionRefused(why: string): EdgeError {
  return new EdgeError('COMPRESSION_NOT_SUPPORTED', `the request is compressed, ${why}`, {
    outcome: 'not-sent',
  });
}
