import { LoadMeter, loadFigures } from '../load.js';
import type { RoleProcess } from '../role-process.js';
import type { WarmUpRule } from '../roles/warm-up.js';
import type { Effort, Figure, Measurement } from '../scenario.js';
import type { Server } from '../servers/server-process.js';

/** Number of messages of the warm-up. */
export const WARM_UP: Figure = { name: 'warm-up', unit: 'messages', better: 'less' };

const WINDOWS_PER_SECOND = 4;
const MAX_WINDOWS = 20;
/** A quick run needs no valid figures. */
const QUICK: WarmUpRule = { window: 200, maxWindows: 1 };

/** The warm-up of a throughput scenario: windows of a quarter of a second at the assumed rate. */
export function warmUpRule(perSecond: number, { quick }: Effort): WarmUpRule {
  if (quick) return QUICK;
  return { window: Math.ceil(perSecond / WINDOWS_PER_SECOND), maxWindows: MAX_WINDOWS };
}

/** For the texts of scenarios. */
export const AFTER_WARM_UP = 'after a warm-up until the throughput and the processor time are stable';

/**
 * Waits until a role is warm. Then measures the role, and the processor time of processes, until the role has
 * counted all messages.
 *
 * @param count - number of measured messages, to which the processor time relates
 * @param copies - number of messages that the role counts for one sent message
 */
export async function measuredBy(
  role: RoleProcess,
  processes: readonly Pick<Server, 'name' | 'pid'>[],
  count: number,
  copies = 1,
): Promise<Measurement & { readonly seconds: number }> {
  await role.warm();
  const meter = new LoadMeter(processes);
  const { seconds, warmUp = 0 } = await role.answer();
  const { load, figures } = loadFigures(meter.cpuSeconds(), meter.seconds, count);
  return { seconds, load, figures: { ...figures, [WARM_UP.name]: warmUp / copies } };
}
