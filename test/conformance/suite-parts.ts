import { expect } from 'vitest';
import type { Case } from './case-format.js';
import { type DriverProcess, deadline } from './driver-process.js';

/** Starts a driver, with these environment variables in addition. */
export type Start = (env?: Readonly<Record<string, string>>) => Promise<DriverProcess>;

/** Timeout of closing a channel whose sidecar may be unreachable. Unit: ms. */
const CLOSE_MS = 12_000;

/** The name of a case with the numbers of its rules. */
export const titleOf = ({ name, rules }: Case): string =>
  rules.length === 0 ? name : `${name} (${rules.join(', ')})`;

/**
 * Closes the channels of a case. Objects that a case leaves open must not affect the next case. A mailbox may
 * have ended by now, but the driver must run.
 */
export async function closeAll(driver: DriverProcess, sidecars: readonly string[]): Promise<void> {
  const closing = sidecars.map((sidecar) => driver.request('closeSidecar', { sidecar }).answer);
  const closed = await deadline(Promise.all(closing), CLOSE_MS, () => `closing: ${driver.stderr}`);
  for (const answer of closed)
    if ('error' in answer && answer.error.kind === 'driver' && !answer.error.message.includes('is called'))
      expect.fail(`closing: ${answer.error.message}`);
  expect(driver.alive, driver.stderr).toBe(true);
}
