import {
  CAUSED_BY_DISCONNECT,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  CAUSED_BY_NETWORK,
  SELF_DISCARD,
} from './constants.js';
import type { GroupId } from './group-id.js';
import { type ServiceTypeName, serviceTypeName } from './service-type.js';

/** What every received event has. */
abstract class ReceivedEvent {
  /** Tells the kinds of events apart. */
  abstract readonly kind: SpreadEvent['kind'];
  /**
   * Position in the mailbox: 1 for its first event, then always one more. 0 for a view or self-leave that is
   * the answer of a call (`join`, `leave`, `view`) and not one of the mailbox's events.
   */
  sequence = 0n;
  /** When the sidecar read it from the daemon, by the sidecar's clock, to the ms. Not set where sequence is 0. */
  receivedAt: Date | undefined = undefined;
}

/** What a {@link RegularMessage} or {@link RejectedMessage} carries. */
export interface MessageContent {
  sender: string;
  groups: readonly string[];
  serviceType: number;
  messageType: number;
  payload: Buffer;
  endianMismatch: boolean;
  spreadType: number;
}

abstract class ContentEvent extends ReceivedEvent {
  /** Private group of the sender, such as `#alice#node1`. */
  readonly sender: string;
  /** Every destination as the sender named them: also groups that this mailbox is not in. */
  readonly groups: readonly string[];
  /** The service type as one of Spread's bits, such as `SAFE_MESS`. 0 for a refused join or leave. */
  readonly serviceType: number;
  /** The sender's own number for it, -32768 to 32767. */
  readonly messageType: number;
  /** The bytes, exactly as sent. They belong to the receiver of this object. */
  readonly payload: Buffer;
  /** Whether the sender's machine has the other byte order than the sidecar's; the payload is not touched. */
  readonly endianMismatch: boolean;
  /** The whole type word as Spread's C library returns it. */
  readonly spreadType: number;

  constructor(content: MessageContent) {
    super();
    this.sender = content.sender;
    this.groups = content.groups;
    this.serviceType = content.serviceType;
    this.messageType = content.messageType;
    this.payload = content.payload;
    this.endianMismatch = content.endianMismatch;
    this.spreadType = content.spreadType;
  }

  /** Whether the sender asked for no copy to itself. */
  get selfDiscard(): boolean {
    return (this.spreadType & SELF_DISCARD) !== 0;
  }

  /** The service type's name, such as `SAFE`. */
  get serviceTypeName(): ServiceTypeName | undefined {
    return serviceTypeName(this.serviceType);
  }

  /** The payload read as UTF-8; bytes that are not become U+FFFD. */
  text(): string {
    return this.payload.toString('utf8');
  }
}

/** A message that somebody multicast. */
export class RegularMessage extends ContentEvent {
  readonly kind = 'regular';
}

/** What the daemon refused. */
export type RejectedOperation = 'JOIN' | 'LEAVE' | 'MULTICAST';

/** Something that this mailbox sent and the daemon's access policy refused. */
export class RejectedMessage extends ContentEvent {
  readonly kind = 'rejected';

  /** @param operation - what was refused; undefined if this release does not know it */
  constructor(
    readonly operation: RejectedOperation | undefined,
    content: MessageContent,
  ) {
    super(content);
  }
}

/** Members that moved together from one view to the next, and so received the same messages in between. */
export interface VirtualSynchronySet {
  /** Their private groups, in Spread's order. */
  readonly members: readonly string[];
  /** Whether it is the receiver's own. With one set only, that one is marked, whoever is in it. */
  readonly mine: boolean;
}

/** Any message about the membership of a group: a view, a transitional signal, or the own leave. */
export abstract class MembershipMessage extends ReceivedEvent {
  abstract override readonly kind: 'view' | 'transitional' | 'selfLeave';
  /**
   * `CAUSED_BY_JOIN`, `CAUSED_BY_LEAVE`, `CAUSED_BY_DISCONNECT` or `CAUSED_BY_NETWORK`; 0 for a transitional
   * signal. A {@link SelfLeaveMessage} has `CAUSED_BY_LEAVE`.
   */
  abstract readonly reason: number;
  /** The group that it is about. */
  readonly group: string;
  /** The identity of the membership; not set in a {@link SelfLeaveMessage}. */
  readonly groupId: GroupId | undefined;
  /** All members, in Spread's order, the same at all of them. Empty unless it is a view. */
  readonly members: readonly string[] = [];
  /** The members that came or went; which it is tells `reason`. Empty unless it is a view. */
  readonly changedMembers: readonly string[] = [];

  constructor(group: string, groupId?: GroupId) {
    super();
    this.group = group;
    this.groupId = groupId;
  }
}

/** Why a view came to be, as a word. */
export type MembershipCause = 'JOIN' | 'LEAVE' | 'DISCONNECT' | 'NETWORK';

const CAUSES: Readonly<Record<MembershipCause, number>> = {
  JOIN: CAUSED_BY_JOIN,
  LEAVE: CAUSED_BY_LEAVE,
  DISCONNECT: CAUSED_BY_DISCONNECT,
  NETWORK: CAUSED_BY_NETWORK,
};

/** What a {@link ViewMessage} is made of. */
export interface ViewContent {
  group: string;
  groupId: GroupId;
  cause: MembershipCause | undefined;
  members: readonly string[];
  ownIndex: number;
  changedMembers: readonly string[];
  sets: readonly VirtualSynchronySet[];
}

/** A new membership of a group: who is in it from now on. */
export class ViewMessage extends MembershipMessage {
  readonly kind = 'view';
  readonly reason: number;
  /** `reason` as a word; undefined if this release does not know it. */
  readonly cause: MembershipCause | undefined;
  declare readonly groupId: GroupId;
  override readonly members: readonly string[];
  /**
   * JOIN, LEAVE, DISCONNECT: the one member that came or went. NETWORK: the members that did not come along
   * with this mailbox from the view before.
   */
  override readonly changedMembers: readonly string[];
  /** Index of this mailbox in `members`, from 0; -1 if it is not among them. */
  readonly ownIndex: number;
  /** The virtual-synchrony sets, in the daemon's order. */
  readonly sets: readonly VirtualSynchronySet[];

  constructor(content: ViewContent) {
    super(content.group, content.groupId);
    this.cause = content.cause;
    this.reason = content.cause === undefined ? 0 : CAUSES[content.cause];
    this.members = content.members;
    this.changedMembers = content.changedMembers;
    this.ownIndex = content.ownIndex;
    this.sets = content.sets;
  }
}

/**
 * Comes before a NETWORK view when daemons were lost. Messages between it and the view belong to the old
 * view, and their guarantees hold only among the members who stay.
 */
export class TransitionalMessage extends MembershipMessage {
  readonly kind = 'transitional';
  readonly reason = 0;
  /** The identity of the view that is ending. */
  declare readonly groupId: GroupId;
}

/** This mailbox has left a group: no further message or view of it follows. */
export class SelfLeaveMessage extends MembershipMessage {
  readonly kind = 'selfLeave';
  readonly reason = CAUSED_BY_LEAVE;
}

/** The daemon connection was lost; only with `reconnect`. Memberships and order end here. */
export class ConnectionLost extends ReceivedEvent {
  readonly kind = 'connectionLost';

  /**
   * @param privateGroup - the private group that was lost
   * @param groups - the groups that the mailbox was in, in the order in which it joined them
   * @param spreadCode - Spread's number for what happened, such as `CONNECTION_CLOSED`
   */
  constructor(
    readonly privateGroup: string,
    readonly groups: readonly string[],
    readonly spreadCode: number,
  ) {
    super();
  }
}

/** The daemon connection stands again, as a new session; only with `reconnect`. */
export class ConnectionRestored extends ReceivedEvent {
  readonly kind = 'connectionRestored';

  /**
   * @param previousPrivateGroup - the private group before
   * @param privateGroup - the private group now
   * @param groups - the groups that are being joined again; a view follows for each
   * @param daemon - the daemon that it is connected to now, as a spread name
   */
  constructor(
    readonly previousPrivateGroup: string,
    readonly privateGroup: string,
    readonly groups: readonly string[],
    readonly daemon: string,
  ) {
    super();
  }
}

/** Anything that `receive()` gives. Tell the kinds apart by `kind` or by `instanceof`. */
export type SpreadEvent =
  | RegularMessage
  | ViewMessage
  | TransitionalMessage
  | SelfLeaveMessage
  | RejectedMessage
  | ConnectionLost
  | ConnectionRestored;
