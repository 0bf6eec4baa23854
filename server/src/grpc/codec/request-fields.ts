import type { Duration } from 'spread-sidecar-proto';
import { EdgeError } from './edge-error.js';

/** Seconds of the longest google.protobuf.Duration: 10,000 years. */
const MAX_DURATION_SECONDS = 315_576_000_000n;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** @throws EdgeError FIELD_REQUIRED */
export function required<T>(value: T | undefined, field: string): T {
  if (value === undefined || value === '') {
    throw new EdgeError('FIELD_REQUIRED', `${field} is required`, { field });
  }
  return value;
}

/** The error FIELD_INVALID for a value that is not allowed. */
function invalid(field: string, bound: string, why = 'has a value that is not allowed'): EdgeError {
  return new EdgeError('FIELD_INVALID', `${field} ${why}; allowed: ${bound}`, { field, bound });
}

/**
 * A uint64 that counts something. Values above 2^53 - 1 become 2^53 - 1, which is above every limit and every
 * possible sequence.
 */
export function countOf(value: bigint): number {
  return Number(value > MAX_SAFE ? MAX_SAFE : value);
}

/**
 * Whole milliseconds of a Duration, rounded up. Undefined when it is not set.
 *
 * @param bound the allowed range, for the message
 * @throws EdgeError LIMIT_OUT_OF_RANGE when the Duration is invalid or out of range
 */
export function millisecondsOf(
  duration: Duration | undefined,
  field: string,
  minMs: number,
  maxMs: number,
): number | undefined {
  if (duration === undefined) return undefined;
  const bound = `${describeMs(minMs)} to ${describeMs(maxMs)}`;
  const { seconds, nanos } = duration;
  const refuse = (why: string) =>
    new EdgeError('LIMIT_OUT_OF_RANGE', `${field} ${why}; allowed: ${bound}`, { field, bound });
  if (nanos < -999_999_999 || nanos > 999_999_999)
    throw refuse('has nanos outside -999,999,999 to 999,999,999');
  if ((seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0)) {
    throw refuse('has seconds and nanos of different signs');
  }
  if (seconds < 0n || nanos < 0) throw refuse('is negative');
  if (seconds > MAX_DURATION_SECONDS) throw refuse('is longer than the maximum of a Duration');
  const ms = Number(seconds) * 1000 + nanos / 1_000_000;
  if (ms < minMs || ms > maxMs) throw refuse('is out of range');
  return Math.ceil(ms);
}

function describeMs(ms: number): string {
  if (ms % 3_600_000 === 0 && ms > 0) return `${ms / 3_600_000} h`;
  if (ms % 1000 === 0) return `${ms / 1000} s`;
  return `${ms} ms`;
}

/** The internal values by the enum's values. */
export interface EnumField<Meaning> {
  readonly field: string;
  /** The prefix of the contract's names of the values. */
  readonly prefix: string;
  readonly names: Readonly<Record<number, Meaning>>;
}

/** @throws EdgeError FIELD_INVALID for a number without a value in the contract */
export function chosen<Meaning>(of: EnumField<Meaning>, value: number): Meaning {
  if (Object.hasOwn(of.names, value)) return of.names[value] as Meaning;
  const named = [...new Set(Object.values(of.names))].filter((name) => name !== undefined);
  const bound = named.map((name) => `${of.prefix}${name}`).join(', ');
  throw invalid(of.field, bound, `has the value ${value}, which the contract does not know`);
}
