import { checkGroupName } from '../spread/wire/index.js';
import type { MailboxEvent, SelfLeave, View } from './event.js';
import { MailboxError } from './sidecar-error.js';

/** A group's current view. */
export interface GroupView {
  readonly view: View;
  /** Whether a transitional signal came after the view, so that a NETWORK view follows. */
  readonly inTransition: boolean;
}

/** A group of a mailbox, for operators. */
export interface Membership {
  readonly group: string;
  /** The current view. Undefined without membership messages, and before the first view. */
  readonly view: View | undefined;
  /** The time of the view. Milliseconds since 1970. */
  readonly viewedAtMs: number;
}

/** A call that waits for the daemon's confirmation of a join or leave. */
export interface Waiter<Answer> {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

type PendingRequest =
  | { readonly kind: 'JOIN'; readonly waiters: Set<Waiter<View>> }
  | { readonly kind: 'LEAVE'; readonly waiters: Set<Waiter<SelfLeave | undefined>> };

interface Group {
  /** Requests without a confirmation, in the order of sending. Joins and leaves alternate. */
  readonly pending: PendingRequest[];
  /** The current view. Undefined while this mailbox has not received a view as a member. */
  view: View | undefined;
  /** Milliseconds since 1970. */
  viewedAtMs: number;
  inTransition: boolean;
}

/**
 * The groups of one mailbox: its memberships (from its requests, which the daemon processes in the order of
 * sending), the view of each, and the calls that wait for confirmations.
 *  A daemon does not respond to a join of a member or to a leave of a non-member (Spread 5.0.1, transcripts
 * 22-join-twice and 24-leave-not-joined), so no call may wait for a response to them.
 */
export class GroupMemberships {
  /** In the order of joining. */
  readonly #names = new Set<string>();
  readonly #groups = new Map<string, Group>();
  #privateGroup: string;
  #connected = true;

  /**
   * @param privateGroup the mailbox's own name in views
   * @param membership whether the daemon sends views; without them there are no confirmations
   */
  constructor(
    privateGroup: string,
    readonly membership: boolean,
  ) {
    this.#privateGroup = privateGroup;
  }

  /** The groups of the mailbox, in the order of joining. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  get size(): number {
    return this.#names.size;
  }

  /** The groups of the mailbox with their views, in the order of joining. */
  *memberships(): Generator<Membership> {
    for (const group of this.#names) {
      const { view, viewedAtMs = 0 } = this.#groups.get(group) ?? {};
      yield { group, view, viewedAtMs };
    }
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** A join of a group was sent, and the mailbox is not in the group. */
  joining(name: string): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    if (this.membership) this.#group(name).pending.push({ kind: 'JOIN', waiters: new Set() });
  }

  /** A leave of a group was sent, and the mailbox is in the group. */
  leaving(name: string): void {
    if (!this.#names.delete(name)) return;
    if (!this.#connected) this.#forget(name, undefined);
    else if (this.membership) this.#group(name).pending.push({ kind: 'LEAVE', waiters: new Set() });
  }

  /**
   * Waits for the view that shows the mailbox as a member, after a join.
   *
   * @returns a function that stops waiting
   */
  awaitView(name: string, waiter: Waiter<View>): () => void {
    const group = this.#groups.get(name);
    const last = group?.pending.at(-1);
    if (last?.kind === 'JOIN') return waitIn(last.waiters, waiter);
    if (group?.view !== undefined) waiter.resolve(group.view);
    else waiter.reject(notComing(name, 'the mailbox is not in the group'));
    return () => {};
  }

  /** Waits for the self-leave, after a leave. Undefined when the mailbox is not in the group. */
  awaitSelfLeave(name: string, waiter: Waiter<SelfLeave | undefined>): () => void {
    const last = this.#groups.get(name)?.pending.at(-1);
    if (last?.kind === 'LEAVE') return waitIn(last.waiters, waiter);
    waiter.resolve(undefined);
    return () => {};
  }

  /** @throws WireError ILLEGAL_GROUP; MailboxError MEMBERSHIP_OFF, NO_VIEW */
  view(name: string): GroupView {
    checkGroupName(name);
    if (!this.membership) throw membershipOff();
    const group = this.#groups.get(name);
    if (group?.view === undefined || !this.#names.has(name)) {
      throw new MailboxError(
        'NO_VIEW',
        `the mailbox is not in group ${name}, or no view of it has arrived yet`,
        {
          field: 'group',
        },
      );
    }
    return { view: group.view, inTransition: group.inTransition };
  }

  /** Processes a message of the daemon. */
  observe(event: MailboxEvent): void {
    switch (event.kind) {
      case 'view':
        this.#onView(event);
        return;
      case 'transitional': {
        const group = this.#groups.get(event.group);
        if (group !== undefined) group.inTransition = true;
        return;
      }
      case 'selfLeave':
        this.#onSelfLeave(event);
        return;
      case 'rejected':
        if (event.refused === 'MESSAGE') return;
        for (const name of event.groups) this.#onRejected(name, event.refused);
    }
  }

  /**
   * The connection is lost, with every membership and view. The requested groups stay for the next connection.
   * Calls that wait for a join continue to wait, and those that wait for a leave are complete.
   */
  lost(): void {
    this.#connected = false;
    for (const name of [...this.#groups.keys()]) {
      const waiters = new Set<Waiter<View>>();
      const stays = this.#names.has(name);
      this.#forget(name, stays ? waiters : undefined);
      if (stays) this.#group(name).pending.push({ kind: 'JOIN', waiters });
    }
  }

  /** There is a new connection under this private group, and it joins the groups again. */
  restored(privateGroup: string): void {
    this.#connected = true;
    this.#privateGroup = privateGroup;
  }

  /** The memberships have ended. Waiting calls get this error. */
  end(error: () => Error): void {
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    this.#names.clear();
    for (const group of groups) for (const request of group.pending) rejectAll(request, error());
  }

  /**
   * Discards the views and unconfirmed requests of the lost connection. `joiners` collects the calls that continue
   * to wait.
   */
  #forget(name: string, joiners: Set<Waiter<View>> | undefined): void {
    const pending = this.#groups.get(name)?.pending ?? [];
    this.#groups.delete(name);
    for (const request of pending) {
      if (request.kind === 'LEAVE') for (const waiter of request.waiters) waiter.resolve(undefined);
      else if (joiners !== undefined) for (const waiter of request.waiters) joiners.add(waiter);
      else rejectAll(request, notComing(name, 'a leave of the same group came first'));
    }
  }

  #onView(view: View): void {
    const group = this.#groups.get(view.group);
    if (group === undefined || !view.members.includes(this.#privateGroup)) return;
    group.view = view;
    group.viewedAtMs = Date.now();
    group.inTransition = false;
    const first = group.pending[0];
    if (first?.kind !== 'JOIN' || !this.#showsOwnJoin(view)) return;
    group.pending.shift();
    for (const waiter of first.waiters) waiter.resolve(view);
    this.#settle(view.group, group);
  }

  /** A join during a change of the daemons' membership is reported as NETWORK (protocol page §8.3). */
  #showsOwnJoin(view: View): boolean {
    if (view.cause === 'NETWORK') return true;
    return view.cause === 'JOIN' && view.changed.includes(this.#privateGroup);
  }

  #onSelfLeave(event: SelfLeave): void {
    const group = this.#groups.get(event.group);
    if (group === undefined) return;
    group.view = undefined;
    group.inTransition = false;
    if (group.pending.some((request) => request.kind === 'LEAVE')) {
      for (;;) {
        const request = group.pending.shift()!;
        if (request.kind === 'LEAVE') {
          for (const waiter of request.waiters) waiter.resolve(event);
          break;
        }
        rejectAll(request, notComing(event.group, 'a leave of the same group came first'));
      }
    }
    this.#settle(event.group, group);
  }

  #onRejected(name: string, refused: 'JOIN' | 'LEAVE'): void {
    if (!this.membership) {
      // Without views, only the requests are known, and a rejected join had no effect.
      if (refused === 'JOIN') this.#names.delete(name);
      return;
    }
    const group = this.#groups.get(name);
    const index = group?.pending.findIndex((request) => request.kind === refused) ?? -1;
    if (group === undefined || index < 0) return;
    const [request] = group.pending.splice(index, 1);
    rejectAll(request!, notComing(name, `the daemon's policy rejected the ${refused.toLowerCase()}`));
    this.#settle(name, group);
  }

  /**
   * After a confirmation: completes the requests that the daemon will not confirm, and updates the memberships.
   */
  #settle(name: string, group: Group): void {
    for (;;) {
      const first = group.pending[0];
      if (first?.kind === 'JOIN' && group.view !== undefined) {
        for (const waiter of first.waiters) waiter.resolve(group.view);
      } else if (first?.kind === 'LEAVE' && group.view === undefined) {
        for (const waiter of first.waiters) waiter.resolve(undefined);
      } else {
        break;
      }
      group.pending.shift();
    }
    const last = group.pending.at(-1);
    const isIn = last === undefined ? group.view !== undefined : last.kind === 'JOIN';
    if (!isIn) this.#names.delete(name);
    else if (!this.#names.has(name)) this.#names.add(name);
    if (group.pending.length === 0 && group.view === undefined) this.#groups.delete(name);
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { pending: [], view: undefined, viewedAtMs: 0, inTransition: false };
      this.#groups.set(name, group);
    }
    return group;
  }
}

export function membershipOff(): MailboxError {
  return new MailboxError(
    'MEMBERSHIP_OFF',
    'this mailbox does not receive membership messages, so it has no views',
  );
}

function waitIn<Answer>(waiters: Set<Waiter<Answer>>, waiter: Waiter<Answer>): () => void {
  waiters.add(waiter);
  return () => waiters.delete(waiter);
}

function rejectAll(request: PendingRequest, error: Error): void {
  for (const waiter of request.waiters) waiter.reject(error);
}

function notComing(name: string, why: string): MailboxError {
  return new MailboxError(
    'VIEW_NOT_COMING',
    `the daemon will not confirm the request for group ${name}: ${why}`,
    {
      field: 'group',
    },
  );
}
