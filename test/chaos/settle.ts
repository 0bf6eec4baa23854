import { until } from '../support/until.js';
import type { Box } from './box.js';
import type { RoundContext } from './round-context.js';
import { sendPrivately } from './sending.js';

/** Timeout for a mailbox without faults to receive everything. Unit: ms. */
const PATIENCE_MS = 15_000;

/**
 * The end of a round, without faults and new actions. Waits until each mailbox has either ended or received
 * everything, and records which, or that neither happened.
 */
export async function settle(context: RoundContext): Promise<void> {
  const { boxes, history, observers, groups, links } = context;
  await observers.whole();
  const alive = [...boxes];
  await Promise.all(alive.map((box) => answersItself(context, box)));
  await until(() => ghosts(context).length === 0, { timeoutMs: context.leaseMs + PATIENCE_MS }).catch(() => {
    for (const ghost of ghosts(context))
      history.add({ kind: 'stuck', box: ghost, missing: 'the end of its memberships' });
  });
  const marks = observers.mark(context.round);
  const everywhere = () => marks.every((mark) => marks.every((_, site) => observers.saw(site, mark)));
  await until(everywhere, {
    timeoutMs: PATIENCE_MS,
    what: 'the observers get their last messages',
  });
  await Promise.all(
    [...boxes].map(async (box) => {
      const { site } = links[box.app]!;
      const member = groups.some((group) => observers.membersAt(site, group).includes(box.privateGroup));
      const has = await Promise.all(member ? marks.map((mark) => box.received(mark, PATIENCE_MS)) : []);
      if (!has.every(Boolean)) history.add({ kind: 'stuck', box: box.name, missing: 'the last message' });
      else if (!box.ended) history.add({ kind: 'settled', box: box.name });
    }),
  );
  await Promise.all([...boxes].map((box) => box.goodbye('clean')));
  await Promise.all(alive.map((box) => box.release()));
}

/**
 * Sends the mailbox a message from itself. When it arrives, all earlier requests have reached the daemon, and
 * all earlier messages have arrived.
 */
async function answersItself(context: RoundContext, box: Box): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!box.ended && performance.now() < deadline) {
    const { id } = await sendPrivately(context, box, box, 'SAFE');
    // Long enough that a slow machine does not fill the queue with these messages.
    if (await box.received(id, 1000)) return;
  }
  if (!box.ended) context.history.add({ kind: 'stuck', box: box.name, missing: 'a message from itself' });
}

/** Members whose mailbox has ended. */
function ghosts({ boxes, observers, groups }: RoundContext): string[] {
  const living = new Set([...boxes].map((box) => box.privateGroup));
  const members = new Set(groups.flatMap((group) => [...observers.membersOf(group)]));
  return [...members].filter((name) => !living.has(name) && !observers.has(name));
}
