/** A member. The table uses only its name. */
export interface GroupMember {
  /** `#name#daemon` in Latin-1, unique among the members. */
  readonly privateGroup: string;
}

export type ViewCause = 'JOIN' | 'LEAVE' | 'DISCONNECT';

/** One new view of one group. */
export interface ViewChange<M extends GroupMember> {
  readonly group: string;
  readonly cause: ViewCause;
  /** The member that joined, left or disconnected. */
  readonly changed: M;
  /**
   * All members of the group, in byte order of private groups. Empty after the last one left. Valid until the next
   * change.
   */
  readonly members: readonly M[];
  /**
   * Third word of the group ID: 1 for a group's first view, then incremented for each view. Restarts at 1 after
   * the group was empty.
   */
  readonly index: number;
}

interface Group<M> {
  readonly members: M[];
  index: number;
}

/**
 * The members of all groups, and the views that follow from a change. Has no sockets and no bytes: the same calls
 * always return the same views.
 *  Group names are any Latin-1 strings, including the empty one, like in Spread (Spread 5.0.1, transcript
 * 66-odd-group-names). JavaScript compares Latin-1 strings like Spread compares names: by unsigned bytes.
 */
export class GroupTable<M extends GroupMember> {
  readonly #groups = new Map<string, Group<M>>();
  readonly #groupsOf = new Map<M, Set<string>>();
  #memberships = 0;

  /** Number of pairs of member and group. */
  get memberships(): number {
    return this.#memberships;
  }

  /** Number of groups with a member. */
  get groups(): number {
    return this.#groups.size;
  }

  /** Number of groups of `member`. */
  membershipsOf(member: M): number {
    return this.#groupsOf.get(member)?.size ?? 0;
  }

  /**
   * Members of `group` in byte order of private groups. Undefined if it has no members. Valid until the next
   * change.
   */
  members(group: string): readonly M[] | undefined {
    return this.#groups.get(group)?.members;
  }

  /** The view caused by a join. Undefined when `member` is already in the group. */
  join(group: string, member: M): ViewChange<M> | undefined {
    let mine = this.#groupsOf.get(member);
    if (mine?.has(group)) return undefined;
    if (!mine) {
      mine = new Set();
      this.#groupsOf.set(member, mine);
    }
    mine.add(group);
    this.#memberships += 1;
    let entry = this.#groups.get(group);
    if (!entry) {
      entry = { members: [], index: 0 };
      this.#groups.set(group, entry);
    }
    entry.members.splice(position(entry.members, member.privateGroup), 0, member);
    return this.#changed(group, entry, 'JOIN', member);
  }

  /** The view caused by a leave. Undefined when `member` is not in the group. */
  leave(group: string, member: M): ViewChange<M> | undefined {
    const mine = this.#groupsOf.get(member);
    if (!mine?.delete(group)) return undefined;
    if (mine.size === 0) this.#groupsOf.delete(member);
    return this.#remove(group, 'LEAVE', member);
  }

  /** One view for each group of `member`, in byte order of the groups' names. */
  disconnect(member: M): ViewChange<M>[] {
    const mine = this.#groupsOf.get(member);
    if (!mine) return [];
    this.#groupsOf.delete(member);
    return [...mine].sort(byteOrder).map((group) => this.#remove(group, 'DISCONNECT', member));
  }

  #remove(group: string, cause: ViewCause, member: M): ViewChange<M> {
    const entry = this.#groups.get(group)!;
    entry.members.splice(position(entry.members, member.privateGroup), 1);
    this.#memberships -= 1;
    // The table forgets an empty group, so its IDs restart (Spread 5.0.1, transcript 25-group-id-reuse).
    if (entry.members.length === 0) this.#groups.delete(group);
    return this.#changed(group, entry, cause, member);
  }

  #changed(group: string, entry: Group<M>, cause: ViewCause, changed: M): ViewChange<M> {
    // The word of the ID is signed and has 32 bits. It stays positive.
    entry.index = entry.index === 0x7fffffff ? 1 : entry.index + 1;
    return { group, cause, changed, members: entry.members, index: entry.index };
  }
}

const byteOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The position of `name`, or where to insert it, in members sorted by private group. */
function position<M extends GroupMember>(members: readonly M[], name: string): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (members[middle]!.privateGroup < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
