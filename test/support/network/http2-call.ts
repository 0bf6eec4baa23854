import { connect } from 'node:http2';
import { readStatusDetails } from '../sidecars/google-rpc.js';
import { within } from '../until.js';

export interface Http2Answer {
  /** The HTTP status. */
  readonly httpStatus: number;
  /** The gRPC status; NaN if there is none. */
  readonly code: number;
  readonly details: string;
  /** The reason of the google.rpc.ErrorInfo. */
  readonly reason: string | undefined;
}

/** A gRPC call whose headers and body need not be gRPC's. */
export async function http2Call(
  target: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<Http2Answer> {
  const session = connect(`http://${target}`);
  session.on('error', () => {});
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let found: Record<string, unknown> = {};
    const note = (some: object) => {
      found = { ...found, ...some };
    };
    stream
      .on('response', note)
      .on('trailers', note)
      .on('error', () => {});
    stream.resume().end(body);
    await within(new Promise((resolve) => stream.once('close', resolve)), 'an answer');
    const details = found['grpc-status-details-bin'];
    return {
      httpStatus: Number(found[':status']),
      code: Number(found['grpc-status'] ?? Number.NaN),
      details: decodeURI(String(found['grpc-message'] ?? '')),
      reason:
        typeof details === 'string'
          ? readStatusDetails(Buffer.from(details, 'base64')).info?.reason
          : undefined,
    };
  } finally {
    session.destroy();
  }
}
