import { status } from '@grpc/grpc-js';
import { readStatusDetails } from '../../support/sidecars/google-rpc.js';
import { Violation } from '../engine/target.js';

/** The end of a call at the level of HTTP/2. */
export interface CallEnd {
  /** `:status`. */
  readonly http: number | undefined;
  /** `grpc-status`. Undefined when the stream was reset. */
  readonly code: number | undefined;
  readonly message: string;
  /** `grpc-status-details-bin`, as in the header. */
  readonly details: string | undefined;
}

/** Statuses that indicate a defect. No request may cause them. */
const DEFECTS = new Set<number>([status.UNKNOWN, status.INTERNAL, status.DATA_LOSS]);

/** @returns the name of the outcome; throws for an outcome that the contract does not allow. */
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
