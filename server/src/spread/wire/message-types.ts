import type { ServiceTypeName, ViewCause } from './constants.js';
import type { GroupId } from './views/group-id.js';

/** A message that a session multicast. */
export interface RegularMessage {
  readonly kind: 'regular';
  /** Private group of the sender. */
  readonly sender: string;
  /** All destinations in the sender's order, including duplicates and groups without members. */
  readonly groups: readonly string[];
  readonly serviceType: ServiceTypeName;
  /** True when the sender requested no copy to itself. */
  readonly selfDiscard: boolean;
  /**
   * All type bits without the marker: a daemon also forwards bits without a meaning (transcript
   * 58-extra-type-bits).
   */
  readonly rawType: number;
  /** The application's number, -32768..32767. */
  readonly messageType: number;
  /** True when the sender's machine has the other byte order than little-endian. */
  readonly endianMismatch: boolean;
  readonly payload: Buffer;
}

/** A group's membership after a change. */
export interface ViewMessage {
  readonly kind: 'view';
  readonly group: string;
  readonly groupId: GroupId;
  readonly cause: ViewCause;
  /** Private groups of all members after the change, in Spread's order, which is equal at all receivers. */
  readonly members: readonly string[];
  /**
   * JOIN, LEAVE, DISCONNECT: one set with the one member that changed. NETWORK: the members that moved together.
   */
  readonly vsSets: readonly (readonly string[])[];
  /** Index in `vsSets` of the set that the daemon marks as the receiver's own. */
  readonly ownSetIndex: number;
  /**
   * JOIN, LEAVE, DISCONNECT: the member that joined or left. NETWORK: members of this view that are not in the own
   * set.
   */
  readonly changed: readonly string[];
}

/** Until the next view, guarantees hold only among the members that stay together. */
export interface TransitionalMessage {
  readonly kind: 'transitional';
  readonly group: string;
  /** ID of the view that ends. */
  readonly groupId: GroupId;
}

/** The receiver's own leave took effect. This is the last message of the group. */
export interface SelfLeaveMessage {
  readonly kind: 'selfLeave';
  readonly group: string;
}

/** A request of this session that the daemon's site policy rejected. */
export interface RejectedMessage {
  readonly kind: 'rejected';
  /** The session's own private group, because rejects go only to the sender. */
  readonly sender: string;
  /**
   * The groups of the rejected request. Of 100 groups, the last one is lost: the daemon overwrites it with the
   * sender.
   */
  readonly groups: readonly string[];
  readonly refused: 'JOIN' | 'LEAVE' | 'MESSAGE';
  /** Set when a message was rejected. */
  readonly serviceType?: ServiceTypeName;
  readonly selfDiscard: boolean;
  readonly messageType: number;
  readonly endianMismatch: boolean;
  readonly payload: Buffer;
  /** Type word of the rejected request without the marker: 0x100 for a join, 0x200 for a leave. */
  readonly rawOldType: number;
}

/** Every message that a daemon can send to a session. */
export type Message = RegularMessage | ViewMessage | TransitionalMessage | SelfLeaveMessage | RejectedMessage;
