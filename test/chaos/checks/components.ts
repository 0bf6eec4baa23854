import type { SeenView } from '../history.js';
import type { Facts } from './facts.js';
import { isAgreed, isFifo } from './order.js';
import { type Interval, type Observer, signalOf, type Truth } from './truth.js';
import { ViewIdentity } from './view-identity.js';
import type { Violation } from './violation.js';

/** An observer with its events in one group. */
interface Place {
  readonly truth: Truth;
  readonly observer: Observer;
  readonly intervals: readonly Interval[];
}

const SAME = ['cause', 'members'] as const;

/**
 * Checks extended virtual synchrony between the observers of several daemons. A view is the same at all
 * observers. Members that move together from one view to the next get the same messages in between. A signal
 * precedes a view in which members did not move together. No two observers get agreed messages in different
 * orders, even on both sides of a partition.
 */
export function* checkComponents(facts: Facts): Generator<Violation> {
  const truths = [...facts.truths.values()];
  const identity = new ViewIdentity(facts);
  for (const group of facts.groups) {
    const places = truths.flatMap((truth) =>
      truth.observers.map((observer): Place => {
        const all = truth.intervals.get(group) ?? [];
        return { truth, observer, intervals: all.filter(({ by }) => by === observer.number) };
      }),
    );
    for (const [i, one] of places.entries()) {
      yield* checkAlone(identity, one);
      // Two observers of one daemon never exist at the same time.
      for (const other of places.slice(i + 1))
        if (other.truth !== one.truth) yield* checkPair(facts, identity, one, other);
    }
  }
  for (const [i, one] of truths.entries())
    for (const other of truths.slice(i + 1)) yield* checkOneOrder(facts, identity, one, other);
}

/** The receiver's own set of a view, or all its members if there are no sets. */
function companions({ cause, members, sets = [], ownSet = -1 }: SeenView): readonly string[] {
  return cause === 'NETWORK' ? (sets[ownSet] ?? []) : members;
}

function* checkAlone(
  identity: ViewIdentity,
  { observer: { privateGroup }, intervals }: Place,
): Generator<Violation> {
  const known = new Set<string>();
  for (const [i, interval] of intervals.entries()) {
    const { view, messages } = interval;
    const where = `${privateGroup}: view ${view.id} of ${view.group}`;
    if (known.has(identity.of(interval)))
      yield { rule: 'view', message: `${where} came before, and no restart of its daemon explains it` };
    known.add(identity.of(interval));
    const next = intervals[i + 1]?.view;
    if (view.cause === 'NETWORK') {
      if (!companions(view).includes(privateGroup))
        yield { rule: 'view', message: `${where} puts it into a set without itself` };
      const inSets = (view.sets ?? []).flat().sort().join();
      if (inSets !== [...view.members].sort().join())
        yield { rule: 'view', message: `${where} has members ${view.members}, and in its sets ${inSets}` };
    }
    const signalled = messages.includes(signalOf(view.group, view.id));
    const lost = next && view.members.filter((member) => !companions(next).includes(member));
    if (next?.cause === 'NETWORK' && lost && lost.length > 0 && !signalled)
      yield { rule: 'view', message: `${where}: ${lost} did not come along, and no signal said so before` };
  }
}

function* checkPair(facts: Facts, identity: ViewIdentity, one: Place, other: Place): Generator<Violation> {
  const there = new Map(other.intervals.map((interval, i) => [identity.of(interval), i]));
  const names = `${one.observer.privateGroup} and ${other.observer.privateGroup}`;
  for (const [i, here] of one.intervals.entries()) {
    const j = there.get(identity.of(here));
    if (j === undefined) continue;
    const match = other.intervals[j]!;
    const where = `${names}: view ${here.view.id} of ${here.view.group}`;
    // Each side has its own changed members.
    const fields = here.view.cause === 'NETWORK' ? SAME : [...SAME, 'changed' as const];
    for (const field of fields)
      if (String(here.view[field]) !== String(match.view[field]))
        yield {
          rule: 'view',
          message: `${where} has ${field} ${here.view[field]} at one, ${match.view[field]} at the other`,
        };
    const [ours, theirs] = [companions(here.view), companions(match.view)];
    if (!ours.includes(other.observer.privateGroup)) {
      if (theirs.includes(one.observer.privateGroup))
        yield { rule: 'view', message: `${where}: only one says that they came together` };
      continue;
    }
    if (String(ours) !== String(theirs))
      yield { rule: 'view', message: `${where}: they came together, with ${ours} and with ${theirs}` };
    const [before, otherBefore] = [one.intervals[i - 1], other.intervals[j - 1]];
    // One of the two has just joined.
    if (!before || !otherBefore) continue;
    if (identity.of(before) !== identity.of(otherBefore))
      yield {
        rule: 'virtual synchrony',
        message: `${where}: they came together, from ${before.view.id} and ${otherBefore.view.id}`,
      };
    else
      yield* checkSame(
        facts,
        where,
        { truth: one.truth, interval: before },
        { truth: other.truth, interval: otherBefore },
      );
  }
}

/**
 * Checks that both received the same messages between the same two views. Messages that are only reliable may
 * come before a view at one daemon and after it at another. Unreliable ones may be lost between daemons.
 */
function* checkSame(facts: Facts, where: string, one: Side, other: Side): Generator<Violation> {
  for (const [here, there] of [
    [one, other],
    [other, one],
  ] as const) {
    const got = new Set(there.interval.messages);
    for (const id of here.interval.messages) {
      const service = facts.sends.get(id)?.sent.service ?? 'SAFE';
      const came = isFifo(service) ? got.has(id) : service === 'UNRELIABLE' || there.truth.orderOf.has(id);
      if (!came) yield { rule: 'virtual synchrony', message: `${where}: only one got ${id} before it` };
    }
  }
}

/** The events of one of two observers before they moved together into a view. */
interface Side {
  readonly truth: Truth;
  readonly interval: Interval;
}

function* checkOneOrder(
  facts: Facts,
  identity: ViewIdentity,
  one: Truth,
  other: Truth,
): Generator<Violation> {
  let last: { id: string; place: number } | undefined;
  for (const id of one.orderOf.keys()) {
    const place = other.orderOf.get(id);
    const service = facts.sends.get(id)?.sent.service ?? 'SAFE';
    if (place === undefined || !isAgreed(service) || identity.isReused(id)) continue;
    if (last && place < last.place)
      yield {
        rule: 'total order',
        message: `${one.daemon} gave ${last.id} before ${id}; ${other.daemon} did not`,
      };
    if (!last || place > last.place) last = { id, place };
  }
}
