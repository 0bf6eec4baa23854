import {
  CAUSED_BY_DISCONNECT,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  CAUSED_BY_NETWORK,
  SELF_DISCARD,
} from './constants.js';
import type { GroupId } from './group-id.js';
import { type MessageHeaders, NO_HEADERS } from './headers.js';
import { type ServiceTypeName, serviceTypeName } from './service-type.js';

/** The properties that all received events have. */
abstract class ReceivedEvent {
  /** The kind of the event. */
  abstract readonly kind: SpreadEvent['kind'];
  /**
   * Position in the mailbox: 1 for the first event, then incremented by 1. 0 for the result of a call
   * (`join`, `leave`, `view`), which is not an event of the mailbox.
   */
  sequence = 0n;
  /**
   * When the sidecar read the event from the daemon, by the sidecar's clock, in ms resolution. Undefined if
   * sequence is 0.
   */
  receivedAt: Date | undefined = undefined;
}

/** The content of a {@link RegularMessage} or {@link RejectedMessage}. */
export interface MessageContent {
  sender: string;
  groups: readonly string[];
  serviceType: number;
  messageType: number;
  payload: Buffer;
  endianMismatch: boolean;
  spreadType: number;
  headers?: MessageHeaders;
}

abstract class ContentEvent extends ReceivedEvent {
  /** Private group of the sender, such as `#alice#node1`. */
  readonly sender: string;
  /** All destinations that the sender named, including groups that this mailbox is not in. */
  readonly groups: readonly string[];
  /** The service type as one of Spread's bits, such as `SAFE_MESS`. 0 for a rejected join or leave. */
  readonly serviceType: number;
  /** The message type, which the sender chose: -32768 to 32767. */
  readonly messageType: number;
  /** The bytes exactly as sent. The application may change them. */
  readonly payload: Buffer;
  /**
   * Whether the byte orders of the sender's and the sidecar's machine differ. The payload is not converted.
   */
  readonly endianMismatch: boolean;
  /** The complete service type word, as Spread's C library returns it. */
  readonly spreadType: number;
  /** The headers. Empty if the sender set none. The object has no prototype and does not change. */
  readonly headers: MessageHeaders;

  constructor(content: MessageContent) {
    super();
    this.sender = content.sender;
    this.groups = content.groups;
    this.serviceType = content.serviceType;
    this.messageType = content.messageType;
    this.payload = content.payload;
    this.endianMismatch = content.endianMismatch;
    this.spreadType = content.spreadType;
    this.headers = content.headers ?? NO_HEADERS;
  }

  /** Whether the sender asked not to receive its own message. */
  get selfDiscard(): boolean {
    return (this.spreadType & SELF_DISCARD) !== 0;
  }

  /** The name of the service type, such as `SAFE`. */
  get serviceTypeName(): ServiceTypeName | undefined {
    return serviceTypeName(this.serviceType);
  }

  /** The payload as UTF-8. Invalid bytes become U+FFFD. */
  text(): string {
    return this.payload.toString('utf8');
  }
}

/** A message that a client has sent with a multicast. */
export class RegularMessage extends ContentEvent {
  readonly kind = 'regular';
}

/** The operation that the daemon rejected. */
export type RejectedOperation = 'JOIN' | 'LEAVE' | 'MULTICAST';

/** A join, leave or message of this mailbox that the daemon's access policy rejected. */
export class RejectedMessage extends ContentEvent {
  readonly kind = 'rejected';

  /** @param operation - the rejected operation. Undefined if this release does not know it */
  constructor(
    readonly operation: RejectedOperation | undefined,
    content: MessageContent,
  ) {
    super(content);
  }
}

/**
 * The members that moved together from one view to the next view. Between these views, they received the same
 * messages.
 */
export interface VirtualSynchronySet {
  /** Their private groups, in Spread's order. */
  readonly members: readonly string[];
  /** Whether this is the set of the receiving mailbox. If there is only one set, this is always true. */
  readonly mine: boolean;
}

/** A message about the membership of a group: a view, a transitional signal or a self-leave. */
export abstract class MembershipMessage extends ReceivedEvent {
  abstract override readonly kind: 'view' | 'transitional' | 'selfLeave';
  /**
   * `CAUSED_BY_JOIN`, `CAUSED_BY_LEAVE`, `CAUSED_BY_DISCONNECT` or `CAUSED_BY_NETWORK`. 0 for a transitional
   * signal. `CAUSED_BY_LEAVE` for a {@link SelfLeaveMessage}.
   */
  abstract readonly reason: number;
  /** The group. */
  readonly group: string;
  /** The identity of the view. Undefined for a {@link SelfLeaveMessage}. */
  readonly groupId: GroupId | undefined;
  /** All members, in Spread's order. Every member gets the same order. Empty unless this is a view. */
  readonly members: readonly string[] = [];
  /**
   * The members that joined or left; `reason` says whether they joined or left. Empty unless this is a view.
   */
  readonly changedMembers: readonly string[] = [];

  constructor(group: string, groupId?: GroupId) {
    super();
    this.group = group;
    this.groupId = groupId;
  }
}

/** The name of a view's cause. */
export type MembershipCause = 'JOIN' | 'LEAVE' | 'DISCONNECT' | 'NETWORK';

const CAUSES: Readonly<Record<MembershipCause, number>> = {
  JOIN: CAUSED_BY_JOIN,
  LEAVE: CAUSED_BY_LEAVE,
  DISCONNECT: CAUSED_BY_DISCONNECT,
  NETWORK: CAUSED_BY_NETWORK,
};

/** The content of a {@link ViewMessage}. */
export interface ViewContent {
  group: string;
  groupId: GroupId;
  cause: MembershipCause | undefined;
  members: readonly string[];
  ownIndex: number;
  changedMembers: readonly string[];
  sets: readonly VirtualSynchronySet[];
}

/** A new view: the members of a group from now on. */
export class ViewMessage extends MembershipMessage {
  readonly kind = 'view';
  readonly reason: number;
  /** The name of `reason`. Undefined if this release does not know it. */
  readonly cause: MembershipCause | undefined;
  declare readonly groupId: GroupId;
  override readonly members: readonly string[];
  /**
   * JOIN, LEAVE, DISCONNECT: the one member that joined or left. NETWORK: the members that did not move with
   * this mailbox from the previous view.
   */
  override readonly changedMembers: readonly string[];
  /** Index of this mailbox in `members`, starting at 0. -1 if it is not a member. */
  readonly ownIndex: number;
  /** The virtual synchrony sets, in the daemon's order. */
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
 * A transitional signal. It precedes a NETWORK view after the loss of daemons. Messages between the signal
 * and the view belong to the old view. Their guarantees hold only among the members that stay together.
 */
export class TransitionalMessage extends MembershipMessage {
  readonly kind = 'transitional';
  readonly reason = 0;
  /** The identity of the view that ends. */
  declare readonly groupId: GroupId;
}

/** This mailbox left a group. No further message or view of the group follows. */
export class SelfLeaveMessage extends MembershipMessage {
  readonly kind = 'selfLeave';
  readonly reason = CAUSED_BY_LEAVE;
}

/**
 * The sidecar lost the daemon connection. Only with `reconnect`. The mailbox is no longer in its groups, and
 * Spread's order of messages ends at this event.
 */
export class ConnectionLost extends ReceivedEvent {
  readonly kind = 'connectionLost';

  /**
   * @param privateGroup - the lost private group
   * @param groups - the groups of the mailbox, in the order in which it joined them
   * @param spreadCode - Spread's number for the cause, such as `CONNECTION_CLOSED`
   */
  constructor(
    readonly privateGroup: string,
    readonly groups: readonly string[],
    readonly spreadCode: number,
  ) {
    super();
  }
}

/**
 * The sidecar reconnected to a daemon, with a new session and possibly a new private group. Only with
 * `reconnect`.
 */
export class ConnectionRestored extends ReceivedEvent {
  readonly kind = 'connectionRestored';

  /**
   * @param previousPrivateGroup - the previous private group
   * @param privateGroup - the new private group
   * @param groups - the groups that the sidecar joins again. A view of each group follows
   * @param daemon - the Spread name of the connected daemon
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

/** An event that `receive()` returns. Distinguish the kinds by `kind` or `instanceof`. */
export type SpreadEvent =
  | RegularMessage
  | ViewMessage
  | TransitionalMessage
  | SelfLeaveMessage
  | RejectedMessage
  | ConnectionLost
  | ConnectionRestored;
