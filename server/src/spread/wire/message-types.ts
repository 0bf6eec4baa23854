import type { ServiceTypeName, ViewCause } from './constants.js';
import type { GroupId } from './views/group-id.js';

/** A message that some session multicast. */
export interface RegularMessage {
  readonly kind: 'regular';
  /** Private group of the sender. */
  readonly sender: string;
  /** All destinations in the sender's order, duplicates and groups without members included. */
  readonly groups: readonly string[];
  readonly serviceType: ServiceTypeName;
  /** True when the sender asked for no copy to itself. */
  readonly selfDiscard: boolean;
  /** All type bits without the marker: a daemon relays also bits that mean nothing (transcript 58-extra-type-bits). */
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
  /** Private groups of all members after the change, in Spread's order: equal at all receivers. */
  readonly members: readonly string[];
  /** JOIN, LEAVE, DISCONNECT: one set with the one member that changed. NETWORK: those who came along together. */
  readonly vsSets: readonly (readonly string[])[];
  /** Index in `vsSets` of the set that the daemon marks as the receiver's own. */
  readonly ownSetIndex: number;
  /** JOIN, LEAVE, DISCONNECT: who joined or went. NETWORK: members of this view that are not in the own set. */
  readonly changed: readonly string[];
}

/** What follows until the next view is guaranteed only among the members that stay together. */
export interface TransitionalMessage {
  readonly kind: 'transitional';
  readonly group: string;
  /** Id of the view that ends. */
  readonly groupId: GroupId;
}

/** The receiver's own leave took effect: the last message of this group. */
export interface SelfLeaveMessage {
  readonly kind: 'selfLeave';
  readonly group: string;
}

/** A request of ours that the daemon's site policy rejected. */
export interface RejectedMessage {
  readonly kind: 'rejected';
  /** Ourselves: rejects go to the sender only. */
  readonly sender: string;
  /** The groups of the rejected request. Of 100 the last one is lost: the daemon writes the sender over it. */
  readonly groups: readonly string[];
  readonly refused: 'JOIN' | 'LEAVE' | 'MESSAGE';
  /** Present when a message was rejected. */
  readonly serviceType?: ServiceTypeName;
  readonly selfDiscard: boolean;
  readonly messageType: number;
  readonly endianMismatch: boolean;
  readonly payload: Buffer;
  /** Type word of the rejected request without the marker; a join shows as 0x100, a leave as 0x200. */
  readonly rawOldType: number;
}

/** Whatever a daemon can send to a session. */
export type Message = RegularMessage | ViewMessage | TransitionalMessage | SelfLeaveMessage | RejectedMessage;
