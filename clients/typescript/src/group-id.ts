import type { GroupId as ProtoGroupId } from 'spread-sidecar-proto';

/**
 * The identity of one membership of one group. Two are the same exactly if all three words are; no order is
 * defined, and an id may come again after its group was empty.
 */
export class GroupId {
  /**
   * @param daemonId - id of the daemon that formed the daemon membership, 0 to 2^32-1
   * @param time - seconds since 1970 of the daemon membership
   * @param index - 1 for the first view of a group in a daemon membership, one more for each later one
   */
  constructor(
    readonly daemonId: number,
    readonly time: number,
    readonly index: number,
  ) {}

  /** Whether this is the same membership. */
  equals(other: GroupId | undefined): boolean {
    return (
      other !== undefined &&
      this.daemonId === other.daemonId &&
      this.time === other.time &&
      this.index === other.index
    );
  }

  /** The three words in decimal, parted by blanks: may serve as a key of a Map. */
  toString(): string {
    return `${this.daemonId} ${this.time} ${this.index}`;
  }
}

export function toGroupId(id: ProtoGroupId | undefined): GroupId {
  return new GroupId(id?.daemonId ?? 0, id?.time ?? 0, id?.index ?? 0);
}
