import type { GroupId as ProtoGroupId } from 'spread-sidecar-proto';

/**
 * The identity of a view. Two group IDs are equal if all three numbers are equal. Group IDs have no order. A
 * group ID can repeat after its group was empty.
 */
export class GroupId {
  /**
   * @param daemonId - ID of the daemon that formed the daemon membership, 0 to 2^32-1
   * @param time - time of the daemon membership, in seconds since 1970
   * @param index - 1 for the first view of a group in a daemon membership, then incremented by 1
   */
  constructor(
    readonly daemonId: number,
    readonly time: number,
    readonly index: number,
  ) {}

  /** Whether both IDs identify the same view. */
  equals(other: GroupId | undefined): boolean {
    return (
      other !== undefined &&
      this.daemonId === other.daemonId &&
      this.time === other.time &&
      this.index === other.index
    );
  }

  /** The three decimal numbers, separated by spaces. Can serve as the key of a Map. */
  toString(): string {
    return `${this.daemonId} ${this.time} ${this.index}`;
  }
}

export function toGroupId(id: ProtoGroupId | undefined): GroupId {
  return new GroupId(id?.daemonId ?? 0, id?.time ?? 0, id?.index ?? 0);
}
