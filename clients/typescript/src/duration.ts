import type { Duration, Timestamp } from 'spread-sidecar-proto';
import { fieldError } from './spread-error.js';

/** Maximum delay of a timer in Node, which fires a timer with a larger delay immediately. Unit: ms. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** Converts milliseconds to a duration of the contract. Undefined stays undefined. */
export function toDuration(ms: number | undefined, field: string): Duration | undefined {
  if (ms === undefined) return undefined;
  if (!Number.isFinite(ms) || ms < 0 || ms > Number.MAX_SAFE_INTEGER)
    throw fieldError(field, 'a number of milliseconds, 0 or more', ms);
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.min(Math.round((ms - seconds * 1000) * 1e6), 999_999_999) };
}

/** Converts a duration of the contract to milliseconds. 0 if it is not set. */
export function toMilliseconds(duration: Duration | undefined): number {
  return duration ? Number(duration.seconds) * 1000 + duration.nanos / 1e6 : 0;
}

/** Converts a timestamp of the contract. */
export function toDate(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp && new Date(Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6);
}

/** Converts a number to a count of the contract. Undefined becomes 0. */
export function toCount(value: number | undefined, field: string): bigint {
  if (value === undefined) return 0n;
  if (!Number.isSafeInteger(value) || value < 0) throw fieldError(field, 'a whole number, 0 or more', value);
  return BigInt(value);
}
