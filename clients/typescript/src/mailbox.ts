import { EventEmitter } from 'node:events';
import { Acknowledger } from './acknowledger.js';
import type { CallLimits } from './call.js';
import { toCount } from './duration.js';
import { EventReceiver } from './event-receiver.js';
import { toView } from './from-event.js';
import { Inbox } from './inbox.js';
import { KeepAlive } from './keep-alive.js';
import type { MailboxLimits } from './limits.js';
import {
  type AcknowledgementMode,
  type MailboxInfo,
  toMailboxInfo,
  toState,
  type VersionTriple,
} from './mailbox-info.js';
import type {
  CurrentView,
  DisconnectOptions,
  MailboxInit,
  MailboxNotices,
  MembershipOptions,
  PollResult,
} from './mailbox-types.js';
import { SelfLeaveMessage, type SpreadEvent, type ViewMessage } from './messages.js';
import { type MulticastOptions, type Payload, toMulticastMessage } from './outgoing.js';
import type { ReceiveOptions } from './receive-options.js';
import { ignoreSpreadError } from './rich-status.js';
import type { Rpc } from './rpc.js';
import { isIgnoredByDisconnect } from './rules/failures.js';
import { Sender, type SenderOptions } from './sender.js';
import { toSlowConsumer } from './slow-consumer.js';
import { disconnectedError, fieldError, invalidResponse, SpreadError } from './spread-error.js';

/**
 * A connection to a Spread daemon that the sidecar owns (`mailbox` in Spread's C API). All failures reject
 * with {@link SpreadError}. Mailboxes are independent of each other.
 */
export class Mailbox extends EventEmitter<MailboxNotices> {
  /** The mailbox ID. Keep it secret: its holder can use the mailbox. */
  readonly id: string;
  readonly daemonVersion: VersionTriple;
  readonly limits: MailboxLimits;
  readonly acknowledgement: AcknowledgementMode;

  readonly #rpc: Rpc;
  readonly #inbox: Inbox;
  readonly #receiver: EventReceiver;
  readonly #acknowledger: Acknowledger | undefined;
  readonly #keepAlive: KeepAlive | undefined;
  readonly #senders = new Set<Sender>();
  readonly #onClosed: () => void;
  #privateGroup: string;
  #daemon: string;
  #lastTaken: bigint;
  #disconnecting: Promise<boolean> | undefined;
  /** Whether the client knows that the mailbox has ended. */
  #hasEnded = false;
  #closed = false;

  /** Use `SpreadSidecar.connect` or `SpreadSidecar.attach` instead of this constructor. */
  constructor(rpc: Rpc, init: MailboxInit, options: ReceiveOptions, onClosed: () => void) {
    super();
    this.#rpc = rpc;
    this.id = init.id;
    this.daemonVersion = init.daemonVersion;
    this.limits = init.limits;
    this.acknowledgement = init.acknowledgement;
    this.#privateGroup = init.privateGroup;
    this.#daemon = init.daemon;
    this.#lastTaken = init.afterSequence;
    this.#onClosed = onClosed;
    this.#inbox = new Inbox({
      maxEvents: options.maxBufferedEvents ?? 4096,
      maxBytes: options.maxBufferedBytes ?? 4 * 1024 * 1024,
    });
    this.#receiver = this.#makeReceiver(init.afterSequence, options);
    if (init.acknowledgement === 'EXPLICIT' && !options.manualAcknowledgement)
      this.#acknowledger = new Acknowledger(
        (upTo) => this.acknowledge(upTo),
        (error) => rpc.mayPass(error),
        (error) => this.#receiver.close(error), // A4
      );
    if (options.keepAlive !== false)
      this.#keepAlive = new KeepAlive(
        init.limits.leaseMs,
        () => this.#receiver.attached,
        () => this.poll(),
      );
    if (options.autoReceive) this.#receiver.start();
  }

  /**
   * The private group from the daemon, such as `#alice#node1`. Only this mailbox receives messages to this
   * group. The private group can change after a {@link ConnectionRestored}.
   */
  get privateGroup(): string {
    return this.#privateGroup;
  }

  /** The Spread name of the daemon. The daemon can change after a {@link ConnectionRestored}. */
  get daemon(): string {
    return this.#daemon;
  }

  /** The sequence of the last event that the application received. 0 if none. */
  get lastSequence(): bigint {
    return this.#lastTaken;
  }

  /**
   * Joins a group (SP_join). No effect if the mailbox is already a member.
   *
   * @returns with `awaitView`, the first view that contains this mailbox. The mailbox also receives this view
   * as an event
   */
  async join(group: string, options: MembershipOptions = {}): Promise<ViewMessage | undefined> {
    const request = { mailboxId: this.id, group, awaitView: options.awaitView ?? false };
    const { view } = await this.#call(this.#rpc.client.join, request, options);
    if (request.awaitView && !view) throw invalidResponse('Join', 'has no view');
    return view && toView(view);
  }

  /**
   * Leaves a group (SP_leave). No effect if the mailbox is not a member.
   *
   * @returns with `awaitView`, the self-leave, or undefined if the mailbox was not a member. The mailbox also
   * receives the self-leave as an event
   */
  async leave(group: string, options: MembershipOptions = {}): Promise<SelfLeaveMessage | undefined> {
    const request = { mailboxId: this.id, group, awaitView: options.awaitView ?? false };
    const { selfLeave } = await this.#call(this.#rpc.client.leave, request, options);
    return selfLeave && new SelfLeaveMessage(selfLeave.group);
  }

  /**
   * Sends a message to all members of a group, or to a private group (SP_multicast). The sender does not need
   * to be a member of the group.
   *
   * @param serviceType - one of UNRELIABLE_MESS to SAFE_MESS, optionally with SELF_DISCARD
   * @param group - 1 to 31 characters from `$` to `~`, or a private group
   * @param message - at most 143,119 bytes. Text is sent as UTF-8
   * @param messageType - the application's own number, -32768 to 32767. Default: 0
   * @returns the size of the payload in bytes, after the daemon connection accepted the message
   * @throws {@link SpreadError}. Its `outcome` says whether the message may have been sent
   */
  multicast(
    serviceType: number,
    group: string,
    message: Payload,
    messageType = 0,
    options: MulticastOptions & CallLimits = {},
  ): Promise<number> {
    return this.multigroupMulticast(serviceType, [group], message, messageType, options);
  }

  /**
   * Sends one message to all members of several groups (SP_multigroup_multicast). A mailbox that is in
   * several of these groups receives the message once. In all other respects, the method works like {@link
   * multicast}.
   *
   * @param groups - 1 to `limits.maxGroupsPerMessage` groups
   */
  async multigroupMulticast(
    serviceType: number,
    groups: readonly string[],
    message: Payload,
    messageType = 0,
    options: MulticastOptions & CallLimits = {},
  ): Promise<number> {
    const outgoing = toMulticastMessage(serviceType, groups, message, messageType, options);
    const request = { mailboxId: this.id, message: outgoing };
    const { bytesSent } = await this.#call(this.#rpc.client.multicast, request, options, { send: true });
    return bytesSent;
  }

  /**
   * Opens a stream that sends many messages. A stream is faster than one call for each message. The messages
   * of the stream keep their order. Call `flush()` before a call of this mailbox that must come after these
   * messages.
   */
  sender(options: SenderOptions = {}): Sender {
    if (this.#closed) throw disconnectedError();
    const call = this.#rpc.client.multicastStream(this.#rpc.metadata());
    const sender = new Sender(call, this.id, options, this.#rpc.endpoint, () => this.#keepAlive?.used());
    for (const old of this.#senders) if (old.closed) this.#senders.delete(old);
    this.#senders.add(sender);
    return sender;
  }

  /**
   * Waits for the next event (SP_receive). The first call starts to receive. If a stream breaks, the client
   * resumes on a new stream. Each event arrives once and in order.
   *
   * @param limits.timeoutMs - maximum time to wait. After this time, the call rejects with status
   * DEADLINE_EXCEEDED. Default: no limit
   * @throws {@link SpreadError} after the last event, with the reason why the mailbox ended. After
   * `disconnect`, the code is ILLEGAL_SESSION
   */
  async receive(limits: CallLimits = {}): Promise<SpreadEvent> {
    this.#receiver.start();
    this.#acknowledger?.request(this.#lastTaken);
    const event = await this.#inbox.take(limits);
    this.#onTaken(event);
    return event;
  }

  /**
   * Waits for the next event, and returns it with all other events that have arrived. At high rates, this
   * costs less than one promise for each event. In all other respects, the method works like {@link receive}.
   * With automatic acknowledgement, the next call acknowledges all returned events.
   *
   * @param limits.maxEvents - maximum number of events, at least 1. Default: 1,000
   */
  async receiveMany(limits: CallLimits & { maxEvents?: number } = {}): Promise<SpreadEvent[]> {
    const { maxEvents = 1000 } = limits;
    if (!Number.isInteger(maxEvents) || maxEvents < 1)
      throw fieldError('maxEvents', 'a whole number, 1 or more', maxEvents);
    const events = [await this.receive(limits)];
    while (events.length < maxEvents) {
      const event = this.#inbox.shift();
      if (!event) break;
      this.#onTaken(event);
      events.push(event);
    }
    return events;
  }

  #onTaken(event: SpreadEvent): void {
    this.#lastTaken = event.sequence;
    if (event.kind !== 'connectionRestored') return;
    this.#privateGroup = event.privateGroup;
    this.#daemon = event.daemon;
  }

  /**
   * Iterates over the mailbox's events until the mailbox disconnects. The end of the loop does not end the
   * mailbox.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<SpreadEvent, void, undefined> {
    while (this.#inbox.size > 0 || !this.#endedCleanly) {
      try {
        yield await this.receive();
      } catch (error) {
        if (this.#endedCleanly && this.#inbox.size === 0) return;
        throw error;
      }
    }
  }

  /** Counts the queued events without receiving them (SP_poll). */
  async poll(limits: CallLimits = {}): Promise<PollResult> {
    const response = await this.#call(this.#rpc.client.poll, { mailboxId: this.id }, limits);
    return {
      bufferedEvents: this.#inbox.size,
      waitingEvents: Number(response.waitingEvents),
      waitingBytes: Number(response.waitingBytes),
      state: toState(response.state),
    };
  }

  /**
   * Acknowledges events, so that the sidecar releases them. Required with EXPLICIT acknowledgement and
   * `manualAcknowledgement`.
   *
   * @param upTo - sequence of the last event to acknowledge. Default: the last event that the application
   * received
   * @returns the sequence of the last acknowledged event
   */
  async acknowledge(upTo: bigint = this.#lastTaken, limits: CallLimits = {}): Promise<bigint> {
    const request = { mailboxId: this.id, upToSequence: upTo };
    return (await this.#call(this.#rpc.client.acknowledge, request, limits)).acknowledgedSequence;
  }

  /** Returns the current view of a group of this mailbox, without waiting for a change. */
  async view(group: string, limits: CallLimits = {}): Promise<CurrentView> {
    const request = { mailboxId: this.id, group };
    const { view, inTransition } = await this.#call(this.#rpc.client.getView, request, limits);
    if (!view) throw invalidResponse('GetView', 'has no view');
    return { view: toView(view), inTransition };
  }

  /** Returns the state and the counters of the mailbox in the sidecar. */
  async info(limits: CallLimits = {}): Promise<MailboxInfo> {
    if (this.#closed) throw disconnectedError();
    return fetchInfo(this.#rpc, this.id, limits);
  }

  /**
   * Ends the mailbox (SP_disconnect). The application can still receive the events that arrived before the
   * call. The client releases its resources even if the call fails. In that case, the sidecar ends the
   * mailbox when the lease expires.
   *
   * @returns true if this call ended the mailbox. False if the mailbox had already ended, or if the sidecar
   * is shutting down or unreachable
   */
  disconnect(options: DisconnectOptions = {}): Promise<boolean> {
    this.#disconnecting ??= this.#disconnect(options);
    return this.#disconnecting;
  }

  /**
   * Detaches from the mailbox without ending it. To resume the mailbox, pass the returned values to
   * `SpreadSidecar.attach` within the lease. Another process can do this too.
   */
  detach(): { mailboxId: string; afterSequence: bigint } {
    this.#receiver.close();
    this.#close();
    return { mailboxId: this.id, afterSequence: this.#lastTaken };
  }

  /**
   * Calls {@link disconnect} and ignores its errors, which would hide an error of the `await using` block.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect().catch(ignoreSpreadError);
  }

  get #endedCleanly(): boolean {
    return this.#inbox.ended && this.#inbox.error === undefined;
  }

  #makeReceiver(afterSequence: bigint, options: ReceiveOptions): EventReceiver {
    return new EventReceiver(
      (request) => this.#rpc.client.receive(request, this.#rpc.metadata()),
      this.#inbox,
      {
        mailboxId: this.id,
        afterSequence,
        maxOutstandingEvents: toCount(options.maxOutstandingEvents, 'maxOutstandingEvents'),
        maxOutstandingBytes: toCount(options.maxOutstandingBytes, 'maxOutstandingBytes'),
        heartbeatIntervalMs: options.heartbeatIntervalMs ?? 10_000,
        leaseMs: this.limits.leaseMs,
        endpoint: this.#rpc.endpoint,
        mayPass: (error) => this.#rpc.mayPass(error),
      },
      {
        attached: ({ nextSequence, groups, privateGroup }) => {
          this.#privateGroup = privateGroup;
          this.emit('attached', { nextSequence, groups });
        },
        detached: (error) => this.emit('detached', error),
        slowConsumer: (notice) => this.emit('slowConsumer', toSlowConsumer(notice)),
        ended: (error, isMailboxEnd) => {
          this.#hasEnded = isMailboxEnd;
          if (isMailboxEnd) this.#stopBackgroundWork();
          this.emit('ended', error);
        },
      },
    );
  }

  #call: Rpc['call'] = async (method, request, limits, options) => {
    if (this.#closed) throw disconnectedError();
    this.#keepAlive?.used();
    return this.#rpc.call(method, request, limits, options);
  };

  async #disconnect(options: DisconnectOptions): Promise<boolean> {
    const { leaveGroupsFirst = false, abort = false } = options;
    try {
      const request = { mailboxId: this.id, leaveGroupsFirst, abort };
      const { wasOpen } = await this.#call(this.#rpc.client.disconnect, request, options);
      await this.#receiver.finish();
      return wasOpen;
    } catch (error) {
      // C3
      if (this.#hasEnded) return false;
      const isIgnored = error instanceof SpreadError && isIgnoredByDisconnect(error);
      if (options.signal?.aborted || !isIgnored) throw error;
      return false;
    } finally {
      this.#receiver.close();
      this.#close();
    }
  }

  /** Stops all background work of the mailbox. */
  #stopBackgroundWork(): void {
    this.#acknowledger?.close();
    this.#keepAlive?.close();
  }

  #close(): void {
    this.#closed = true;
    this.#stopBackgroundWork();
    for (const sender of this.#senders) sender.abort();
    this.#senders.clear();
    this.#onClosed();
  }
}

/** Fetches state and counters of a mailbox. */
export async function fetchInfo(rpc: Rpc, mailboxId: string, limits: CallLimits): Promise<MailboxInfo> {
  const { mailbox } = await rpc.call(rpc.client.getMailbox, { mailboxId }, limits);
  if (!mailbox) throw invalidResponse('GetMailbox', 'has no mailbox');
  return toMailboxInfo(mailbox);
}
