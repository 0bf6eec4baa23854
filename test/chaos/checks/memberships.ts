import type { Seen, SeenMessage, SeenView } from '../history.js';
import { type BoxFacts, type Facts, type Received, truthOf } from './facts.js';
import { isAgreed, isBefore, isFifo } from './order.js';
import { type Interval, signalOf, type Truth } from './truth.js';
import type { Violation } from './violation.js';

/** A group of a mailbox: the current view and the messages in it. */
interface Membership {
  /** Index of the view among the observer's. Undefined if the observer ended before it. */
  view: number | undefined;
  got: Set<string>;
}

/**
 * Checks the events of a mailbox. Its views are those of its daemon's observer, without gaps. Between two
 * views, it gets the observer's messages. It gets nothing of a group that it is not in. Only if the daemon
 * was killed, a mailbox may have final events that the observer does not have.
 */
export function* checkMemberships(facts: Facts): Generator<Violation> {
  for (const truth of facts.truths.values()) yield* checkObservers(truth);
  for (const box of facts.boxes.values()) yield* new Walk(facts, box).run();
}

/** Checks the observers' views: a change of one member changes that member. */
function* checkObservers({ intervals, observers }: Truth): Generator<Violation> {
  const names = new Map(observers.map(({ number, privateGroup }) => [number, privateGroup]));
  for (const [group, list] of intervals)
    for (const [i, { by, view }] of list.entries()) {
      const previous = list[i - 1];
      const follows = previous?.by === by;
      const before = follows ? previous.view.members : [];
      const [changed] = view.changed;
      const expected = new Set(before);
      if (view.cause === 'JOIN') expected.add(changed!);
      else expected.delete(changed!);
      const same = expected.size === view.members.length && view.members.every((name) => expected.has(name));
      const first = !follows && view.cause === 'JOIN' && changed === names.get(by);
      if (view.cause !== 'NETWORK' && !same && !first)
        yield {
          rule: 'view',
          message: `${group}: view ${view.id} has ${view.members}, which does not follow from ${before} and ${view.cause} of ${changed}`,
        };
      if (view.members[view.own] !== names.get(by))
        yield { rule: 'view', message: `${group}: view ${view.id} is without the observer` };
    }
}

class Walk {
  readonly #facts: Facts;
  readonly #box: BoxFacts;
  readonly #truth: Truth;
  readonly #memberships = new Map<string, Membership>();
  /** The last view of an earlier membership, by group. */
  readonly #past = new Map<string, number>();
  /** Groups that a new session joins again, and whose view has not arrived. */
  readonly #expected = new Set<string>();
  #privateGroup: string;
  /**
   * An event that the observer did not get because it ended. Then the observer has none of the following
   * ones.
   */
  #beyond: string | undefined;

  constructor(facts: Facts, box: BoxFacts) {
    this.#facts = facts;
    this.#box = box;
    this.#truth = truthOf(facts, box);
    this.#privateGroup = box.privateGroup;
  }

  *run(): Generator<Violation> {
    for (const received of this.#box.events) yield* this.#step(received);
    for (const [group, membership] of this.#memberships)
      yield* this.#box.settled ? this.#compare(group, membership) : this.#comparePart(group, membership);
    if (this.#box.settled && this.#beyond)
      yield {
        rule: 'view',
        message: `${this.#box.name} got ${this.#beyond}, which the observer did not get`,
      };
    for (const group of this.#box.settled ? this.#expected : [])
      yield { rule: 'view', message: `${this.#box.name} was to join ${group} again and is not in it` };
  }

  *#step({ event, sequence }: Received): Generator<Violation> {
    const where = `${this.#box.name}, event ${sequence}`;
    switch (event.is) {
      case 'message':
        yield* this.#onMessage(event, where);
        break;
      case 'view':
        yield* this.#onView(event, where);
        break;
      case 'selfLeave':
        yield* this.#onSelfLeave(event, where);
        break;
      case 'transitional':
        yield* this.#onSignal(event, where);
        break;
      case 'lost':
        // The next session starts without groups. The lost events at the end of this one are unknown.
        for (const [group, membership] of this.#memberships) {
          yield* this.#comparePart(group, membership);
          this.#past.set(group, membership.view ?? this.#last(group));
        }
        this.#memberships.clear();
        this.#expected.clear();
        this.#beyond = undefined;
        break;
      case 'restored':
        this.#privateGroup = event.privateGroup;
        for (const group of event.groups) this.#expected.add(group);
        break;
      case 'rejected':
        yield { rule: 'content', message: `${where}: the daemon refused something` };
        break;
    }
  }

  *#onMessage({ id, groups }: SeenMessage, where: string): Generator<Violation> {
    let addressed = groups.includes(this.#privateGroup);
    for (const group of groups) {
      const membership = this.#memberships.get(group);
      if (!membership) continue;
      addressed = true;
      if (id !== undefined) membership.got.add(id);
    }
    if (!addressed)
      yield { rule: 'content', message: `${where}: ${id} for ${groups}, none of which it is in` };
    if (id === undefined) return;
    if (this.#truth.orderOf.has(id)) yield* this.#known(id, where);
    else if (groups.some((group) => this.#isCutOff(group))) this.#beyond ??= id;
  }

  *#onSignal({ group, id }: Extract<Seen, { is: 'transitional' }>, where: string): Generator<Violation> {
    const membership = this.#memberships.get(group);
    if (!membership) {
      yield { rule: 'view', message: `${where}: a signal of ${group}, which it is not in` };
      return;
    }
    membership.got.add(signalOf(group, id));
    const view = membership.view === undefined ? undefined : this.#list(group)[membership.view]?.view;
    if (view && view.id !== id)
      yield { rule: 'view', message: `${where}: a signal of ${group} for view ${id}, in view ${view.id}` };
  }

  *#onView(view: SeenView, where: string): Generator<Violation> {
    const list = this.#list(view.group);
    const what = `${where}: view ${view.id} of ${view.group}`;
    const membership = this.#memberships.get(view.group);
    const index = this.#find(view, membership?.view ?? this.#past.get(view.group) ?? -1);
    if (view.members[view.own] !== this.#privateGroup)
      yield { rule: 'view', message: `${what}: it is not where own_index says` };
    const at = list[index];
    if (!at) {
      const current = membership?.view === undefined ? undefined : list[membership.view];
      if (!this.#truth.cutOff || current?.cutOff === false)
        yield { rule: 'view', message: `${what}, which the observer did not get` };
      if (membership) yield* this.#comparePart(view.group, membership);
      this.#beyond ??= `view ${view.id} of ${view.group}`;
      this.#memberships.set(view.group, { view: undefined, got: new Set() });
      this.#expected.delete(view.group);
      return;
    }
    yield* this.#known(`view ${view.id} of ${view.group}`, where);
    yield* differences(at.view, view, what);
    if (membership?.view !== undefined) {
      const current = list[membership.view];
      const next = list[membership.view + 1];
      if (index !== membership.view + 1)
        yield {
          rule: 'view',
          message: `${what} follows on ${current?.view.id}; at the observer ${next?.view.id} does`,
        };
      else if (current?.by !== at.by)
        yield { rule: 'view', message: `${what} comes in a session whose daemon had been killed before` };
      yield* this.#compare(view.group, membership);
    } else if (!membership) {
      if (view.cause !== 'NETWORK' && !(view.cause === 'JOIN' && view.changed[0] === this.#privateGroup))
        yield { rule: 'view', message: `${what} is its first one and not about its own join` };
      if (index <= (this.#past.get(view.group) ?? -1))
        yield { rule: 'view', message: `${what} is older than one that it had before` };
    }
    this.#memberships.set(view.group, { view: index, got: new Set() });
    this.#expected.delete(view.group);
  }

  *#onSelfLeave({ group }: Extract<Seen, { is: 'selfLeave' }>, where: string): Generator<Violation> {
    const membership = this.#memberships.get(group);
    if (!membership) {
      yield { rule: 'view', message: `${where}: it left ${group}, which it was not in` };
      return;
    }
    this.#memberships.delete(group);
    this.#past.set(group, membership.view ?? this.#last(group));
    const list = this.#list(group);
    const current = membership.view === undefined ? undefined : list[membership.view];
    if (!current || current.cutOff) {
      this.#beyond ??= `its leave of ${group}`;
      yield* this.#comparePart(group, membership);
      return;
    }
    const next = list[membership.view! + 1]?.view;
    if (next?.cause !== 'LEAVE' || next.changed[0] !== this.#privateGroup)
      yield {
        rule: 'view',
        message: `${where}: it left ${group}; at the observer ${next?.cause} of ${next?.changed} followed`,
      };
    yield* this.#compare(group, membership);
  }

  #list(group: string): readonly Interval[] {
    return this.#truth.intervals.get(group) ?? [];
  }

  /**
   * The index of this view at the observer. A daemon that was killed and restarted within seconds may use an
   * ID again for another view. Then the view after `after` with the same members is the right one.
   */
  #find(view: SeenView, after: number): number {
    const list = this.#list(view.group);
    const text = textOf(view);
    const same = list.findIndex(
      (one, i) => i > after && one.view.id === view.id && textOf(one.view) === text,
    );
    return same >= 0 ? same : list.findIndex((one) => one.view.id === view.id);
  }

  /** Whether the current view is the last one of an observer whose daemon was killed. */
  #isCutOff(group: string): boolean {
    const view = this.#memberships.get(group)?.view;
    return view !== undefined && this.#list(group)[view]?.cutOff === true;
  }

  #last(group: string): number {
    return this.#list(group).length - 1;
  }

  /** Checks that no event of the observer follows an event that it does not have. */
  *#known(what: string, where: string): Generator<Violation> {
    if (this.#beyond)
      yield {
        rule: 'view',
        message: `${where}: ${what} came after ${this.#beyond}, which the observer did not get`,
      };
  }

  /** Compares all messages in that view with the observer's. */
  *#compare(group: string, { view, got }: Membership): Generator<Violation> {
    const interval = view === undefined ? undefined : this.#list(group)[view];
    if (!interval) return;
    const due = this.#due(interval);
    for (const id of due)
      if (!got.has(id)) yield this.#broken(`did not get ${id}`, interval, 'as the observer did');
    yield* this.#foreign(due, got, interval);
  }

  /** For an interrupted membership: compares with the start of the observer's messages, without gaps. */
  *#comparePart(group: string, { view, got }: Membership): Generator<Violation> {
    const interval = view === undefined ? undefined : this.#list(group)[view];
    if (!interval) return;
    const due = this.#due(interval);
    yield* this.#foreign(due, got, interval);
    const { sends } = this.#facts;
    const agreed = due.filter((id) => isAgreed(sends.get(id)?.sent.service ?? 'SAFE'));
    const last = agreed.findLastIndex((id) => got.has(id));
    for (const id of agreed.slice(0, Math.max(last, 0)))
      if (!got.has(id))
        yield this.#broken(
          `got ${agreed[last]} and not ${id}`,
          interval,
          'which is before it for the observer',
        );
    const missing = due.filter((id) => !got.has(id));
    for (const id of missing) {
      const lost = sends.get(id);
      if (!lost || !isFifo(lost.sent.service)) continue;
      const later = [...got].find((other) => {
        const send = sends.get(other);
        return send && isFifo(send.sent.service) && isBefore(lost, send);
      });
      if (later) yield this.#broken(`got ${later} and not ${id}`, interval, 'which its sender sent before');
    }
  }

  *#foreign(due: readonly string[], got: ReadonlySet<string>, interval: Interval): Generator<Violation> {
    const all = new Set(due);
    for (const id of got)
      if (!all.has(id) && !(interval.cutOff && !this.#truth.orderOf.has(id)))
        yield this.#broken(`got ${id}`, interval, 'and the observer did not, or in another view');
  }

  #due({ messages }: Interval): string[] {
    return messages.filter((id) => {
      const sent = this.#facts.sends.get(id)?.sent;
      return !(sent?.selfDiscard && sent.box === this.#box.name);
    });
  }

  #broken(what: string, { view }: Interval, how: string): Violation {
    return {
      rule: 'virtual synchrony',
      message: `${this.#box.name} ${what} in view ${view.id} of ${view.group}, ${how}`,
    };
  }
}

function* differences(theirs: SeenView, ours: SeenView, what: string): Generator<Violation> {
  const pairs = [
    ['members', theirs.members.join(), ours.members.join()],
    ['cause', theirs.cause, ours.cause],
    ['changed', theirs.changed.join(), ours.changed.join()],
    ['sets', setsOf(theirs), setsOf(ours)],
  ] as const;
  for (const [field, expected, found] of pairs)
    if (expected !== found)
      yield { rule: 'view', message: `${what} has ${field} ${found}; the observer's ${expected}` };
}

const textOf = ({ cause, members, changed }: SeenView) => `${cause} ${members} ${changed}`;

/** The sets of a NETWORK view with a mark at the own one, which are the same at all members of one daemon. */
function setsOf({ sets = [], ownSet }: SeenView): string {
  return sets.map((set, i) => `${i === ownSet ? '*' : ''}{${set.join()}}`).join(' ');
}
