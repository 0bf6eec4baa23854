import { median } from '../statistics.js';

/** Number of messages of a window. */
export const WINDOW = 500;
/** Number of windows in a row whose values must agree. */
const STABLE_WINDOWS = 3;
/** The warm-up ends after this number of windows in any case. */
const MAX_WINDOWS = 40;
/** Largest part by which the windows may differ from their median. */
const TOLERANCE = 0.05;

/** A window of a warm-up: the median time of a message, and the processor time of a message. */
export interface Window {
  readonly p50: number;
  readonly cpu: number;
}

/** Whether a warm-up may end: the last three windows agree in both values, or the warm-up is too long. */
export function isWarm(windows: readonly Window[]): boolean {
  if (windows.length >= MAX_WINDOWS) return true;
  const last = windows.slice(-STABLE_WINDOWS);
  if (last.length < STABLE_WINDOWS) return false;
  return agree(last.map(({ p50 }) => p50)) && agree(last.map(({ cpu }) => cpu));
}

function agree(values: readonly number[]): boolean {
  const middle = median(values);
  return values.every((value) => Math.abs(value - middle) <= TOLERANCE * middle);
}
