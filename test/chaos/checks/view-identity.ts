import { daemonId } from '../../../server/src/daemon/naming.js';
import type { Facts, Fault } from './facts.js';
import { daemonOf, type Interval, signalOf } from './truth.js';

/**
 * Tells views apart that have the same id. An id consists of the daemon that formed the membership, a time in seconds and a
 * counter. A daemon never uses a time twice while it lives. It forgets the last one when it is killed, so after
 * the restart it may give an id again, for another view, and to other observers.
 */
export class ViewIdentity {
  /** By the first word of the ids that a daemon gives. */
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

  /** Equal for two sightings of a group's view unless the daemon that gave the id was killed and restarted in between. */
  of({ view: { id }, at }: Interval): string {
    const restarts = this.#restarts.get(id.slice(0, id.indexOf(' '))) ?? [];
    return `${id} after ${restarts.filter((restart) => restart <= at).length} restarts`;
  }

  /** Whether the view that this signal belongs to shares its id with a view from before a restart. */
  isReused(signal: string): boolean {
    return this.#reused.has(signal);
  }
}

/** The kills of a daemon. The faults name the applications that depend on it, and these have mailboxes at the daemon. */
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
