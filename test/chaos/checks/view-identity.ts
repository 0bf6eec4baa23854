import { daemonId } from '../../../server/src/daemon/naming.js';
import type { Facts, Fault } from './facts.js';
import { daemonOf, type Interval, signalOf } from './truth.js';

/**
 * Distinguishes views with the same ID. An ID consists of the daemon that formed the membership, a time in
 * seconds and a counter. A running daemon never repeats a time. A killed daemon forgets the last one, so that
 * it may repeat an ID after the restart, for another view and other observers.
 */
export class ViewIdentity {
  /** The restarts by the daemon in the IDs. */
  readonly #restarts = new Map<string, readonly number[]>();
  readonly #reused = new Set<string>();

  constructor(facts: Facts) {
    for (const daemon of facts.truths.keys())
      this.#restarts.set(
        String(daemonId(daemon)),
        killsOf(facts, daemon).map(({ to }) => to),
      );
    const seen = new Map<string, string>();
    for (const { intervals } of facts.truths.values())
      for (const [group, list] of intervals)
        for (const interval of list) {
          const signal = signalOf(group, interval.view.id);
          const identity = this.of(interval);
          if ((seen.get(signal) ?? identity) !== identity) this.#reused.add(signal);
          seen.set(signal, identity);
        }
  }

  /** Equal for two observations of a group's view, unless the daemon of the ID was restarted in between. */
  of({ view: { id }, at }: Interval): string {
    const restarts = this.#restarts.get(id.slice(0, id.indexOf(' '))) ?? [];
    return `${id} after ${restarts.filter((restart) => restart <= at).length} restarts`;
  }

  /** Whether the view of this signal has the same ID as a view before a restart. */
  isReused(signal: string): boolean {
    return this.#reused.has(signal);
  }
}

/** The kills of a daemon. Faults name the affected applications, which have mailboxes at the daemon. */
function killsOf({ boxes, faults }: Facts, daemon: string): Fault[] {
  const links = new Set<string>();
  for (const { app, privateGroup } of boxes.values())
    if (daemonOf(privateGroup) === daemon) links.add(`daemon:${app}`);
  return faults.filter(
    (fault) =>
      fault.fault === 'kill' &&
      fault.links[0]?.startsWith('daemon process:') &&
      fault.links.some((link) => links.has(link)),
  );
}
