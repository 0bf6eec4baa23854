/** Whatever can be a member: the table only looks at its name. */
export interface GroupMember {
  /** `#name#daemon`, Latin-1, unique among the members. */
  readonly privateGroup: string;
}

export type ViewCause = 'JOIN' | 'LEAVE' | 'DISCONNECT';

/** One new view of one group. */
export interface ViewChange<M extends GroupMember> {
  readonly group: string;
  readonly cause: ViewCause;
  /** The member that joined, left or disconnected. */
  readonly changed: M;
  /** Everybody who is in the group now, in byte order of private groups. Empty when the last one went. Valid until the next change. */
  readonly members: readonly M[];
  /** Third word of the group id: 1 for a group's first view, then one more for each view, from 1 again once the group was empty. */
  readonly index: number;
}

interface Group<M> {
  readonly members: M[];
  index: number;
}

/**
 * Who is in which group, and which views follow from a change. Knows no sockets and no bytes: the same calls
 * always give the same views.
 *
 * Group names are any Latin-1 strings, the empty one too, as Spread takes them (Spread 5.0.1, transcript
 * 66-odd-group-names). JavaScript compares Latin-1 strings as Spread compares names: by unsigned bytes.
 */
export class GroupTable<M extends GroupMember> {
  readonly #groups = new Map<string, Group<M>>();
  readonly #groupsOf = new Map<M, Set<string>>();
  #memberships = 0;

  /** How many pairs of member and group there are. */
  get memberships(): number {
    return this.#memberships;
  }

  /** How many groups have a member. */
  get groups(): number {
    return this.#groups.size;
  }

  /** In how many groups `member` is. */
  membershipsOf(member: M): number {
    return this.#groupsOf.get(member)?.size ?? 0;
  }

  /**
   * Members of `group` in byte order of private groups; undefined if it has no members. Valid until the next change.
   */
  members(group: string): readonly M[] | undefined {
    return this.#groups.get(group)?.members;
  }

  /** The view caused by a join; undefined when `member` is in the group already. */
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

  /** The view caused by a leave; undefined when `member` is not in the group. */
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
    // An empty group is forgotten, so its ids start again (Spread 5.0.1, transcript 25-group-id-reuse).
    if (entry.members.length === 0) this.#groups.delete(group);
    return this.#changed(group, entry, cause, member);
  }

  #changed(group: string, entry: Group<M>, cause: ViewCause, changed: M): ViewChange<M> {
    // The id's word is signed and has 32 bits; it stays positive.
    entry.index = entry.index === 0x7fffffff ? 1 : entry.index + 1;
    return { group, cause, changed, members: entry.members, index: entry.index };
  }
}

const byteOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Where `name` is, or belongs, in members sorted by private group. */
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
