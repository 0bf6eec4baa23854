import type { Message, Version } from '../spread/wire/index.js';
import type { DaemonConnection } from './connection/daemon-connection.js';
import { EventCounts, type ServiceCounts } from './counters.js';
import { inSpreadTerms } from './end-errors.js';
import type { MailboxEvent, SelfLeave, View } from './event.js';
import type { GroupMemberships, GroupView, Membership } from './group-memberships.js';
import { type ClientConnection, ClientPresence } from './lifetime/client-presence.js';
import type { Lease } from './lifetime/lease.js';
import type { MailboxLifetime } from './lifetime/mailbox-lifetime.js';
import { type MailboxOptions, mailboxParts } from './mailbox-parts.js';
import type {
  Acknowledgement,
  DisconnectOptions,
  MailboxLimits,
  MailboxSnapshot,
  MailboxState,
  OutgoingMessage,
  PollResult,
} from './mailbox-types.js';
import type { OnTaken, Outbox } from './outbound/outbox.js';
import type { CallOptions, GroupCallOptions, Requests } from './outbound/requests.js';
import type { Inbox } from './queue/inbox.js';
import type { Attachment, AttachOptions, Receiver } from './queue/receiver.js';
import type { MailboxIdentity } from './telemetry.js';

/**
 * A Spread mailbox that outlives the calls and streams that use it: one session with a daemon, the queue of
 * received events, the order of sent messages, and its groups.
 *  It is open until it ends, once, for one reason. From then on nothing more is sent or queued, but queued events
 * can still be received until the mailbox is discarded. A reconnecting mailbox also outlives the session: it is
 * open again as soon as it has another one, and two events in the queue report the loss and the restoration.
 */
export class Mailbox implements MailboxIdentity {
  readonly id: string;
  readonly displayId: string;
  /** The identity that opened the mailbox. Only this identity may use it, which the registry checks. */
  readonly owner: string;
  /** The client whose limit of mailboxes it counts in. */
  readonly client: string;
  readonly membership: boolean;
  readonly acknowledgement: Acknowledgement;
  readonly limits: MailboxLimits;
  /** Milliseconds since 1970. */
  readonly openedAtMs = Date.now();
  /** By the monotonic clock. */
  readonly #openedAt = performance.now();
  /** Number of received events, by kind. */
  readonly received = new EventCounts();
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #groups: GroupMemberships;
  readonly #requests: Requests;
  readonly #lease: Lease;
  /** Only for a mailbox that ends with its connection. */
  readonly #clientPresence: ClientPresence | undefined;
  readonly #connection: DaemonConnection;
  readonly #lifetime: MailboxLifetime;

  constructor(options: MailboxOptions) {
    this.id = options.id;
    this.displayId = options.displayId;
    this.owner = options.owner ?? '';
    this.client = options.client ?? this.owner;
    this.membership = options.membership;
    this.acknowledgement = options.acknowledgement;
    this.limits = options.limits;
    const parts = mailboxParts(this, options);
    this.#inbox = parts.inbox;
    this.#outbox = parts.outbox;
    this.#groups = parts.groups;
    this.#requests = parts.requests;
    this.#lease = parts.lease;
    this.#clientPresence = options.endWithConnection ? new ClientPresence(parts.lease) : undefined;
    this.#connection = parts.connection;
    this.#lifetime = parts.lifetime;
    parts.connection.start({
      onMessage: this.#onMessage,
      onContinuity: (event) => this.#enqueue(event, Date.now()),
      onEnd: (reason, message) => this.#lifetime.finish(reason, message),
    });
  }

  /** The current or last daemon, as a Spread name. */
  get daemon(): string {
    return this.#connection.daemon;
  }

  get daemonVersion(): Version {
    return this.#connection.daemonVersion;
  }

  /** The name for other clients, such as `#alice#node1`. */
  get privateGroup(): string {
    return this.#connection.privateGroup;
  }

  get state(): MailboxState {
    if (this.#lifetime.end !== undefined) return 'ENDED';
    return this.#connection.isLost ? 'RECONNECTING' : 'OPEN';
  }

  /** True if the mailbox has ended and a receiver got everything, so that no client waits for it. */
  get isFinished(): boolean {
    return this.#lifetime.end !== undefined && this.#inbox.isEndDelivered && !this.#inbox.receiverAttached;
  }

  /** Time since the mailbox was opened. Unit: ms. */
  get ageMs(): number {
    return performance.now() - this.#openedAt;
  }

  /** The last received event. 0 if none. */
  get lastSequence(): number {
    return this.#inbox.queue.lastSequence;
  }

  get messagesSent(): number {
    return this.#outbox.messagesSent;
  }

  get sentByService(): ServiceCounts {
    return this.#outbox.sentByService;
  }

  get payloadBytesSent(): number {
    return this.#outbox.payloadBytesSent;
  }

  /** Number of events delivered to receivers. A redelivered event counts again. */
  get eventsGiven(): number {
    return this.#inbox.eventsGiven;
  }

  /** Bytes of all encoded events that were ever queued. */
  get eventBytes(): number {
    return this.#inbox.queue.totalBytes;
  }

  get receiverAttached(): boolean {
    return this.#inbox.receiverAttached;
  }

  /** True while reading from the daemon is paused because the queue is full. */
  get paused(): boolean {
    return this.#lifetime.end === undefined && this.#inbox.paused;
  }

  /** Bytes that wait for the daemon's connection. */
  get sendQueueBytes(): number {
    return this.#lifetime.end === undefined ? this.#outbox.queuedBytes : 0;
  }

  snapshot(): MailboxSnapshot {
    const queue = this.#inbox.queue;
    return {
      privateGroup: this.privateGroup,
      state: this.state,
      daemon: this.daemon,
      daemonVersion: this.daemonVersion,
      membership: this.membership,
      acknowledgement: this.acknowledgement,
      limits: this.limits,
      groups: this.#groups.names,
      openedAtMs: this.openedAtMs,
      receiverAttached: this.receiverAttached,
      lastSequence: queue.lastSequence,
      deliveredSequence: queue.deliveredSequence,
      acknowledgedSequence: queue.acknowledgedSequence,
      waitingEvents: queue.waitingEvents,
      waitingBytes: queue.waitingBytes,
      retainedBytes: queue.retainedBytes,
      messagesSent: this.messagesSent,
      payloadBytesSent: this.payloadBytesSent,
      sendQueueBytes: this.sendQueueBytes,
      paused: this.paused,
      leaseEndsAtMs: fromNow(this.#lease.remainingMs),
      displayId: this.displayId,
      loadEvents: queue.loadEvents,
      loadBytes: queue.loadBytes,
      softLimitEndsAtMs: fromNow(this.#inbox.softLimitRemainingMs),
    };
  }

  /** Number of queued events and bytes, without taking them. */
  poll(): PollResult {
    const { waitingEvents, waitingBytes } = this.#inbox.queue;
    return { waitingEvents, waitingBytes, state: this.state };
  }

  /** A call used the mailbox: its lease restarts. */
  touch(connection?: ClientConnection): void {
    this.#lease.touch();
    if (connection !== undefined) this.#clientPresence?.usedBy(connection);
  }

  /** Keeps the mailbox alive, for a stream of sends, until the returned function is called. */
  hold(): () => void {
    return this.#lease.hold();
  }

  /**
   * Joins a group. With awaitView: resolves to the view that shows this mailbox as a member, immediately if there
   * is one.
   *  While the mailbox reconnects, the join is sent after the reconnection, and a wait for the view continues.
   *  Rejects with SpreadError ILLEGAL_GROUP; MailboxError MEMBERSHIP_OFF, TOO_MANY_GROUPS, SEND_QUEUE_FULL,
   * VIEW_NOT_COMING, DEADLINE_EXCEEDED; and the error of the mailbox's end.
   */
  join(group: string, options: GroupCallOptions = {}): Promise<View | undefined> {
    return this.#held(() => this.#requests.join(group, options));
  }

  /**
   * Leaves a group. With awaitView: resolves to the self-leave. Resolves to undefined immediately when the mailbox
   * is not in the group, or when its connection is lost meanwhile and will be replaced.
   *  Rejects like join.
   */
  leave(group: string, options: GroupCallOptions = {}): Promise<SelfLeave | undefined> {
    return this.#held(() => this.#requests.leave(group, options));
  }

  /**
   * Sends one message. Resolves to the size of its payload when the daemon's connection has accepted it.
   *  Rejects, with nothing sent, with SpreadError ILLEGAL_SERVICE, ILLEGAL_GROUP, ILLEGAL_MESSAGE,
   * MESSAGE_TOO_LONG, MailboxError SEND_QUEUE_FULL, RECONNECTING; otherwise with DEADLINE_EXCEEDED or the error of
   * the mailbox's end, with its outcome.
   */
  multicast(message: OutgoingMessage, options: CallOptions = {}): Promise<number> {
    return this.#held(() => this.#requests.multicast(message, options));
  }

  /**
   * Sends one message of a stream. The stream must hold() the mailbox.
   *
   * @param onTaken called once: when the daemon's connection has accepted this message and all before it, or with
   * the error
   * @returns false when the sender should wait for onSendRoom before it sends more
   * @throws the errors of multicast, when the message is rejected before sending
   */
  send(message: OutgoingMessage, onTaken?: OnTaken): boolean {
    return this.#requests.send(message, onTaken);
  }

  /** Calls back once, when send may continue, or when the mailbox has ended and send throws. */
  onSendRoom(callback: () => void): void {
    this.#outbox.onRoom(callback);
  }

  /**
   * Calls back once, when the mailbox has ended, with the error that a later send would get. If it has ended
   * already, calls back soon. The callback of each earlier send reports its own outcome.
   *
   * @returns removes the callback
   */
  onEnd(callback: (error: Error) => void): () => void {
    return this.#lifetime.onEnd(callback);
  }

  /**
   * Attaches the one receiver. A previous receiver gets RECEIVER_REPLACED and is detached.
   *
   * @throws MailboxError SEQUENCE_NOT_RETAINED, FIELD_INVALID (outstanding limits with AUTO); the previous
   * receiver then stays attached
   */
  attach(options: AttachOptions, receiver: Receiver): Attachment {
    return this.#inbox.attach(options, receiver, {
      privateGroup: this.privateGroup,
      groups: this.#groups.names,
    });
  }

  /**
   * Releases every event up to and including this one.
   *
   * @returns the last acknowledged event now
   * @throws MailboxError SEQUENCE_NOT_RETAINED
   */
  acknowledge(upTo: number): number {
    return this.#inbox.acknowledge(upTo);
  }

  /**
   * A group's current view.
   *
   * @throws SpreadError ILLEGAL_GROUP; MailboxError MEMBERSHIP_OFF, NO_VIEW
   */
  view(group: string): GroupView {
    return inSpreadTerms(() => this.#groups.view(group));
  }

  /** The groups of the mailbox with their views, in the order of joining. */
  memberships(): Generator<Membership> {
    return this.#groups.memberships();
  }

  /**
   * Closes the connection to the daemon as if the daemon had closed it, for tests of failures: the mailbox ends,
   * or reconnects.
   *
   * @returns false when there is no connection: the mailbox has ended, or is reconnecting
   */
  dropConnection(): boolean {
    return this.#lifetime.end === undefined && this.#connection.drop();
  }

  /** Ends the mailbox on its owner's request. Resolves when the daemon's connection is closed. Never rejects. */
  disconnect({ leaveGroupsFirst = false, abort = false }: DisconnectOptions = {}): Promise<void> {
    const leaving = leaveGroupsFirst ? this.#groups.names : [];
    return this.#lifetime.close('DISCONNECTED', 'the mailbox was disconnected', { leaving, abort });
  }

  /**
   * Ends the mailbox because its lease expired, or releases an ended one and its receiver. Resolves like
   * disconnect.
   */
  expire(): Promise<void> {
    const message = this.#lease.isShortened
      ? 'the client closed its connection, and the mailbox ends with its connection'
      : `the lease expired: no Receive was attached, and no call used the mailbox for ${this.limits.leaseMs} ms`;
    const closed = this.#lifetime.close('LEASE_EXPIRED', message);
    this.#inbox.cut({ reason: 'LEASE_EXPIRED', message });
    return closed;
  }

  /**
   * Ends the mailbox because the sidecar shuts down: nothing more is received, the receiver gets the queued events
   * until cutReceiver() is called, then the mailbox disconnects from the daemon. Resolves when the connection is
   * closed. Never rejects.
   */
  drain(): Promise<void> {
    return this.#lifetime.drain();
  }

  /**
   * The time of a drain has passed: reports the end immediately to the receiver of an ended mailbox, even if it
   * has not received everything, and to each later receiver.
   */
  cutReceiver(): void {
    this.#inbox.cut({ reason: 'DRAINING', message: 'the sidecar is shutting down' });
  }

  /**
   * The mailbox cannot be found any more: its events are discarded as soon as no receiver is attached. A receiver
   * that takes nothing for one lease is disconnected. Resolves when its connection is closed and no transport
   * holds any memory of it. Never rejects.
   */
  discard(): Promise<void> {
    this.#clientPresence?.release();
    return this.#lifetime.discard();
  }

  /** Runs for every message. */
  readonly #onMessage = (message: Message, receivedAtMs: number): void => {
    if (this.#lifetime.end !== undefined) return;
    this.#enqueue(message, receivedAtMs);
    if (message.kind !== 'regular') this.#groups.observe(message);
  };

  #enqueue(event: MailboxEvent, receivedAtMs: number): void {
    this.#inbox.enqueue(receivedAtMs, event, this.#connection.privateGroup);
    this.received.add(event.kind);
  }

  /** Keeps the mailbox alive while a call waits. The call sends its requests before it waits. */
  async #held<Result>(call: () => Promise<Result>): Promise<Result> {
    const release = this.#lease.hold();
    try {
      return await call();
    } finally {
      release();
    }
  }
}

/** Milliseconds since 1970. */
function fromNow(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(Date.now() + ms);
}
