import type { SpreadError } from '../spread/spread-error.js';
import { checkMulticast, type Message, SpreadCode, type Version } from '../spread/wire/index.js';
import type { ByteBudget } from './byte-budget.js';
import type { EncodeEvent, MailboxEvent, SelfLeave, View } from './event.js';
import { sayGoodbye } from './goodbye.js';
import { GroupMemberships, type GroupView } from './group-memberships.js';
import { Inbox } from './inbox.js';
import { Lease } from './lease.js';
import { inSpreadTerms, interruptedBy } from './mailbox-end.js';
import type { MailboxSession } from './mailbox-session.js';
import type {
  Acknowledgement,
  DisconnectOptions,
  EndReason,
  MailboxEnd,
  MailboxLimits,
  MailboxSnapshot,
  MailboxState,
  OutgoingMessage,
  PollResult,
} from './mailbox-types.js';
import type { OpenedSession } from './open-session.js';
import { type OnTaken, Outbox } from './outbox.js';
import type { Attachment, AttachOptions, Receiver } from './receiver.js';
import { Reconnector, type ReconnectorOptions } from './reconnector.js';
import { type CallOptions, type GroupCallOptions, Requests } from './requests.js';
import type { MailboxIdentity, MailboxTelemetry } from './telemetry.js';
import { EventCounts, type ServiceCounts } from './totals.js';

export interface MailboxOptions {
  /** Connected and not started. */
  readonly session: MailboxSession;
  /** 128 random bits in hexadecimal: whoever has it owns the mailbox. */
  readonly id: string;
  readonly displayId: string;
  /** Who opened it. Default ''. */
  readonly owner?: string;
  /** The daemon, as a spread name. */
  readonly daemon: string;
  readonly membership: boolean;
  readonly acknowledgement: Acknowledgement;
  readonly limits: MailboxLimits;
  /** The part of a queue bound from which a receiver is told that it is too slow; above 0, at most 1. */
  readonly noticeMark: number;
  /** How long a clean goodbye may take before the connection is dropped, milliseconds. */
  readonly goodbyeMs: number;
  readonly encode: EncodeEvent;
  readonly budget: ByteBudget;
  readonly telemetry: MailboxTelemetry;
  /** How a lost connection is made anew; undefined: the mailbox ends with it. */
  readonly reconnect?: (ReconnectorOptions & { readonly queueMulticasts: boolean }) | undefined;
  /** The lease is over: nobody uses the mailbox any more. */
  onLeaseEnd(mailbox: Mailbox): void;
}

/**
 * A Spread mailbox that outlives the calls and streams that use it: one session with a daemon, the queue of what it
 * received, the order of what it sends, and the groups that it is in.
 *
 * It is open until it ends, once, for one reason. From then on nothing more is sent or queued, but what is queued can
 * still be received until the mailbox is discarded. One that reconnects outlives the session too: it is open again as
 * soon as it has another, and two events among the others tell where the one ended and the next began.
 */
export class Mailbox implements MailboxIdentity {
  readonly id: string;
  readonly displayId: string;
  /** Who opened it, and alone may use it: the registry asks. */
  readonly owner: string;
  readonly membership: boolean;
  readonly acknowledgement: Acknowledgement;
  readonly limits: MailboxLimits;
  /** Milliseconds since 1970. */
  readonly openedAtMs = Date.now();
  /** What was received, by kind. */
  readonly received = new EventCounts();
  /** The present one, or the last one while there is none. */
  #session: MailboxSession;
  #daemon: string;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #groups: GroupMemberships;
  readonly #requests: Requests;
  readonly #lease: Lease;
  readonly #goodbyeMs: number;
  readonly #telemetry: MailboxTelemetry;
  readonly #reconnector: Reconnector | undefined;
  readonly #queuesMulticasts: boolean;
  /** When the connection that is being made anew was lost, by the monotonic clock. */
  #lostAt: number | undefined;
  #end: MailboxEnd | undefined;
  #goodbye: Promise<void> | undefined;
  #discarded = false;
  #awaitingReceiver: (() => void)[] = [];

  constructor(options: MailboxOptions) {
    const { session, limits } = options;
    this.id = options.id;
    this.displayId = options.displayId;
    this.owner = options.owner ?? '';
    this.membership = options.membership;
    this.acknowledgement = options.acknowledgement;
    this.limits = limits;
    this.#session = session;
    this.#daemon = options.daemon;
    this.#goodbyeMs = options.goodbyeMs;
    this.#telemetry = options.telemetry;
    this.#groups = new GroupMemberships(session.privateGroup, options.membership);
    this.#lease = new Lease(limits.leaseMs, () => options.onLeaseEnd(this));
    const messageLimits = { maxGroups: limits.maxGroupsPerMessage, maxBody: limits.maxMessageBytes };
    this.#outbox = new Outbox(
      session,
      (message) => inSpreadTerms(() => checkMulticast(message, messageLimits)),
      limits.maxSendQueueBytes,
    );
    this.#requests = new Requests({
      outbox: this.#outbox,
      groups: this.#groups,
      reconnects: options.reconnect !== undefined,
      maxGroups: limits.maxGroups,
      end: () => this.#end,
    });
    this.#inbox = new Inbox(
      {
        acknowledgement: options.acknowledgement,
        limits: limits.queue,
        noticeMark: options.noticeMark,
        encode: options.encode,
        budget: options.budget,
      },
      {
        pause: () => {
          this.#session.pause();
          this.#telemetry.paused(this);
        },
        resume: () => {
          this.#session.resume();
          this.#telemetry.resumed(this);
          this.#reconnector?.retry();
        },
        overflow: (bound) => this.#overflow(bound),
        slowConsumer: (notice) => this.#telemetry.slowConsumer(this, notice),
        receiverAttached: () => this.#holdForReceiver(),
      },
    );
    this.#queuesMulticasts = options.reconnect?.queueMulticasts ?? false;
    this.#reconnector = options.reconnect && this.#makeReconnector(options.reconnect);
    this.#start();
  }

  /** The daemon that it is connected to, or was last, as a spread name. */
  get daemon(): string {
    return this.#daemon;
  }

  get daemonVersion(): Version {
    return this.#session.daemonVersion;
  }

  /** Its name for others, such as `#alice#node1`. */
  get privateGroup(): string {
    return this.#session.privateGroup;
  }

  get state(): MailboxState {
    if (this.#end !== undefined) return 'ENDED';
    return this.#lostAt === undefined ? 'OPEN' : 'RECONNECTING';
  }

  /** True when it has ended and a receiver was given everything, so that nobody is waiting for it any more. */
  get isSpent(): boolean {
    return this.#end !== undefined && this.#inbox.endTold && !this.#inbox.receiverAttached;
  }

  /** The last event received; 0 if none. */
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

  /** Events given to receivers; one that is given again counts again. */
  get eventsGiven(): number {
    return this.#inbox.eventsGiven;
  }

  /** Bytes of encoded events ever queued. */
  get eventBytes(): number {
    return this.#inbox.queue.totalBytes;
  }

  get receiverAttached(): boolean {
    return this.#inbox.receiverAttached;
  }

  /** True while reading from the daemon is stopped because the queue is full. */
  get paused(): boolean {
    return this.#end === undefined && this.#inbox.paused;
  }

  /** Bytes that wait to be taken by the daemon's connection. */
  get sendQueueBytes(): number {
    return this.#end === undefined ? this.#outbox.queuedBytes : 0;
  }

  snapshot(): MailboxSnapshot {
    const queue = this.#inbox.queue;
    const remainingMs = this.#lease.remainingMs;
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
      leaseEndsAtMs: remainingMs === undefined ? undefined : Math.round(Date.now() + remainingMs),
      displayId: this.displayId,
    };
  }

  /** How much waits, without taking it. */
  poll(): PollResult {
    const { waitingEvents, waitingBytes } = this.#inbox.queue;
    return { waitingEvents, waitingBytes, state: this.state };
  }

  /** A call used the mailbox: its lease begins anew. */
  touch(): void {
    this.#lease.touch();
  }

  /** Keeps the mailbox alive, for a stream of sends, until the returned function is called. */
  hold(): () => void {
    return this.#lease.hold();
  }

  /**
   * Joins a group. With awaitView: resolves to the view that shows this mailbox as a member, at once if there is one.
   *
   * While the connection is being made anew, the group is joined as soon as it stands, and a wait for the view goes on.
   *
   * Rejects with SpreadError ILLEGAL_GROUP; SidecarError MEMBERSHIP_OFF, TOO_MANY_GROUPS, SEND_QUEUE_FULL,
   * VIEW_NOT_COMING, DEADLINE_EXCEEDED; and the error of the mailbox's end.
   */
  join(group: string, options: GroupCallOptions = {}): Promise<View | undefined> {
    return this.#held(() => this.#requests.join(group, options));
  }

  /**
   * Leaves a group. With awaitView: resolves to the self-leave; to undefined at once when the mailbox is not in the group,
   * or when its connection is lost meanwhile and will be made anew.
   *
   * Rejects as join does.
   */
  leave(group: string, options: GroupCallOptions = {}): Promise<SelfLeave | undefined> {
    return this.#held(() => this.#requests.leave(group, options));
  }

  /**
   * Sends one message; resolves to the bytes of its payload when the daemon's connection took them.
   *
   * Rejects, with nothing sent, with SpreadError ILLEGAL_SERVICE, ILLEGAL_GROUP, ILLEGAL_MESSAGE, MESSAGE_TOO_LONG,
   * SidecarError SEND_QUEUE_FULL, RECONNECTING; else with DEADLINE_EXCEEDED or the error of the mailbox's end, with its outcome.
   */
  multicast(message: OutgoingMessage, options: CallOptions = {}): Promise<number> {
    return this.#held(() => this.#requests.multicast(message, options));
  }

  /**
   * Sends one message of a stream. The stream is to hold() the mailbox.
   *
   * @param onTaken called once: when the daemon's connection took this message and all before it, or with the error
   * @returns false when the sender should wait for onSendRoom before it sends more
   * @throws as multicast rejects, when the message is refused before a byte of it was sent
   */
  send(message: OutgoingMessage, onTaken?: OnTaken): boolean {
    return this.#requests.send(message, onTaken);
  }

  /** Calls back once, when send may go on, or when the mailbox has ended and send throws. */
  onSendRoom(callback: () => void): void {
    this.#outbox.onRoom(callback);
  }

  /**
   * Attaches the one receiver. One that was attached before is told RECEIVER_REPLACED and let go.
   *
   * @throws SidecarError SEQUENCE_NOT_RETAINED, FIELD_INVALID (outstanding limits with AUTO); the former receiver stays
   */
  attach(options: AttachOptions, receiver: Receiver): Attachment {
    return this.#inbox.attach(options, receiver, {
      privateGroup: this.privateGroup,
      groups: this.#groups.names,
    });
  }

  /**
   * Every event up to and including this one may be forgotten.
   *
   * @returns the last acknowledged event now
   * @throws SidecarError SEQUENCE_NOT_RETAINED
   */
  acknowledge(upTo: number): number {
    return this.#inbox.acknowledge(upTo);
  }

  /**
   * A group's current view.
   *
   * @throws SpreadError ILLEGAL_GROUP; SidecarError MEMBERSHIP_OFF, NO_VIEW
   */
  view(group: string): GroupView {
    return inSpreadTerms(() => this.#groups.view(group));
  }

  /** Ends the mailbox on its owner's word. Resolves when the daemon's connection is closed. Never rejects. */
  disconnect({ leaveGroupsFirst = false, abort = false }: DisconnectOptions = {}): Promise<void> {
    const leaving = leaveGroupsFirst ? this.#groups.names : [];
    return this.#close('DISCONNECTED', 'the mailbox was disconnected', { leaving, abort });
  }

  /** Ends the mailbox because nobody used it. Resolves as disconnect does. */
  expire(): Promise<void> {
    const message = `no Receive was attached and no call came within the lease of ${this.limits.leaseMs} ms`;
    return this.#close('LEASE_EXPIRED', message, { leaving: [], abort: false });
  }

  /**
   * Ends the mailbox because the sidecar shuts down: nothing more is received, the receiver is given what is queued until
   * cutReceiver() is called, then the daemon is told goodbye. Resolves when the connection is closed. Never rejects.
   */
  async drain(): Promise<void> {
    if (this.#end === undefined) {
      this.#session.pause();
      this.#finish('DRAINING', 'the sidecar is shutting down');
    }
    while (this.#inbox.receiverAttached) {
      await new Promise<void>((resolve) => {
        this.#awaitingReceiver.push(resolve);
      });
    }
    this.#goodbye ??= this.#sayGoodbye([]);
    await this.#goodbye;
  }

  /** Tells the receiver of a mailbox that has ended the end at once, whatever it has not been given yet. */
  cutReceiver(): void {
    this.#inbox.cut();
  }

  /**
   * The mailbox can't be found any more: its events go as soon as no receiver is attached. Resolves when it has none and
   * its connection is closed: then nothing of it is left. Never rejects.
   */
  async discard(): Promise<void> {
    this.#discarded = true;
    this.#lease.stop();
    this.#letGo();
    await this.drain();
  }

  #start(): void {
    this.#session.start({
      onMessage: this.#onMessage,
      onClose: (error) => this.#onClose(error),
      onDrain: () => this.#outbox.onDrain(),
    });
  }

  /** Runs for every message. */
  readonly #onMessage = (message: Message, receivedAtMs: number): void => {
    if (this.#end !== undefined) return;
    this.#enqueue(message, receivedAtMs);
    if (message.kind !== 'regular') this.#groups.observe(message);
  };

  #enqueue(event: MailboxEvent, receivedAtMs: number): void {
    this.#inbox.enqueue(receivedAtMs, event, this.#session.privateGroup);
    this.received.add(event.kind);
  }

  #onClose(error: SpreadError | undefined): void {
    const message = error?.message ?? 'the connection to the daemon was closed';
    if (this.#end === undefined) {
      if (error?.code === 'SP_BUG') {
        this.#telemetry.defect(error.cause ?? error);
        this.#finish('INTERNAL', 'an internal error of the sidecar ended the mailbox');
      } else if (this.#reconnector !== undefined) {
        this.#reconnect(this.#reconnector, error?.number ?? SpreadCode.CONNECTION_CLOSED, message);
        return;
      } else {
        this.#finish('CONNECTION_CLOSED', message);
      }
    }
    this.#failSends();
  }

  #failSends(): void {
    const end = this.#end!;
    this.#outbox.fail((outcome) => interruptedBy(end, outcome));
  }

  #reconnect(reconnector: Reconnector, spreadCode: number, message: string): void {
    const { privateGroup } = this;
    this.#lostAt = performance.now();
    const groups = this.#groups.names;
    this.#groups.lost();
    this.#outbox.lose(this.#queuesMulticasts ? 'wait' : 'refuse');
    this.#telemetry.reconnecting(this, message);
    this.#enqueue({ kind: 'connectionLost', privateGroup, groups, spreadCode }, Date.now());
    // The event may have been one too many for the queue, which ends the mailbox.
    if (this.#end === undefined) reconnector.start(this.#daemon);
  }

  #restore({ session, daemon }: OpenedSession): void {
    const previousPrivateGroup = this.privateGroup;
    const seconds = (performance.now() - this.#lostAt!) / 1000;
    this.#lostAt = undefined;
    this.#session = session;
    this.#daemon = daemon;
    const { privateGroup } = session;
    const groups = this.#groups.names;
    this.#groups.restored(privateGroup);
    this.#telemetry.reconnected(this, previousPrivateGroup, seconds);
    const kind = 'connectionRestored';
    this.#enqueue({ kind, previousPrivateGroup, privateGroup, groups, daemon }, Date.now());
    this.#start();
    // The event may have been one too many for the queue, which ends the mailbox.
    if (this.#end === undefined) this.#outbox.restore(session, groups);
    else this.#failSends();
  }

  #makeReconnector(options: ReconnectorOptions): Reconnector {
    return new Reconnector(options, {
      mayTry: () => !this.#inbox.paused,
      failed: (daemon, error) => this.#telemetry.reconnectFailed(this, daemon, error),
      restored: (opened) => this.#restore(opened),
      givenUp: (why) => {
        const message = `the connection to the daemon was lost and could not be made anew: ${why}`;
        this.#telemetry.reconnectGivenUp(this, message);
        this.#finish('CONNECTION_CLOSED', message);
      },
    });
  }

  #overflow(bound: string): void {
    const message = `the event queue reached its bound of ${bound}`;
    void this.#close('QUEUE_OVERFLOW', message, { leaving: [], abort: false });
  }

  #close(
    reason: EndReason,
    message: string,
    how: { leaving: readonly string[]; abort: boolean },
  ): Promise<void> {
    if (this.#end === undefined) {
      this.#finish(reason, message);
      if (how.abort) this.#session.abort();
      else this.#goodbye ??= this.#sayGoodbye(how.leaving);
    }
    return this.#goodbye ?? Promise.resolve();
  }

  #finish(reason: EndReason, message: string): void {
    const end: MailboxEnd = {
      reason,
      lastSequence: this.lastSequence,
      message,
      ...(reason === 'CONNECTION_CLOSED' ? { spreadCode: 'CONNECTION_CLOSED' as const } : {}),
    };
    this.#end = end;
    this.#inbox.finish(end);
    this.#groups.end(() => interruptedBy(end, 'unknown'));
    this.#telemetry.ended(this, reason, message);
    if (this.#lostAt === undefined) return;
    this.#goodbye = this.#reconnector!.stop();
    this.#failSends();
  }

  #sayGoodbye(leaving: readonly string[]): Promise<void> {
    return sayGoodbye(this.#session, this.#outbox, leaving, this.#goodbyeMs);
  }

  /** Keeps the mailbox alive while a call waits. What the call sends, it sends before it waits for anything. */
  async #held<Result>(call: () => Promise<Result>): Promise<Result> {
    const release = this.#lease.hold();
    try {
      return await call();
    } finally {
      release();
    }
  }

  #holdForReceiver(): () => void {
    const release = this.#lease.hold();
    return () => {
      release();
      // A receiver that takes over is attached in the same turn.
      queueMicrotask(() => {
        for (const gone of this.#awaitingReceiver.splice(0)) gone();
        this.#letGo();
      });
    };
  }

  #letGo(): void {
    if (this.#discarded && !this.#inbox.receiverAttached) this.#inbox.dispose();
  }
}
