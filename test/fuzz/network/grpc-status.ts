import { status } from '@grpc/grpc-js';
import { readStatusDetails } from '../../support/sidecars/google-rpc.js';
import { Violation } from '../engine/target.js';

/** How a call ended, as HTTP/2 told it. */
export interface CallEnd {
  /** `:status`. */
  readonly http: number | undefined;
  /** `grpc-status`; undefined when the stream was reset. */
  readonly code: number | undefined;
  readonly message: string;
  /** `grpc-status-details-bin`, as it stands in the header. */
  readonly details: string | undefined;
}

/** Never of a request's making. */
const DEFECTS = new Set<number>([status.UNKNOWN, status.INTERNAL, status.DATA_LOSS]);

/** @returns a word for the end; throws when it is none of those that the contract foresees. */
export function judge(end: CallEnd, options: { richly?: boolean } = {}): string {
  const { code, http } = end;
  if (code === undefined) return http === undefined || http === 200 ? 'reset' : `http ${http}`;
  if (status[code] === undefined) throw new Violation(`the status ${code} does not exist`);
  if (DEFECTS.has(code)) throw new Violation(`${status[code]}: ${decodeURIComponent(end.message)}`);
  if (code === status.OK || code === status.CANCELLED) return status[code]!;
  const { info } = end.details ? readStatusDetails(Buffer.from(end.details, 'base64')) : { info: undefined };
  if (options.richly && info === undefined)
    throw new Violation(`${status[code]} without a reason: ${decodeURIComponent(end.message)}`);
  return info ? `${status[code]} ${info.reason}` : status[code]!;
}
