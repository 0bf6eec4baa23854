import { EventEmitter } from 'node:events';
import { Acknowledger } from './acknowledger.js';
import type { CallLimits } from './call.js';
import { toCount } from './duration.js';
import { EventReceiver, livesOn } from './event-receiver.js';
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
import { ignoreSpreadError, isGone } from './rich-status.js';
import type { Rpc } from './rpc.js';
import { Sender, type SenderOptions } from './sender.js';
import { toSlowConsumer } from './slow-consumer.js';
import { disconnectedError, fieldError, incompleteAnswer } from './spread-error.js';

/** Refusals that say no more than that the mailbox is not there any more. */
const MAILBOX_GONE = new Set(['ILLEGAL_SESSION', 'LEASE_EXPIRED']);

/**
 * A connection to a Spread daemon (MailboxType). Everything that can fail rejects with {@link SpreadError}.
 * Different mailboxes are independent.
 */
export class Mailbox extends EventEmitter<MailboxNotices> {
  /** Whoever has it owns the mailbox: keep it as a secret. */
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
  #closed = false;

  /** Made by `SpreadSidecar.connect` and `SpreadSidecar.attach`. */
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
        // That the mailbox is gone tells the stream itself, and it knows why and which events were lost with it.
        (error) => !MAILBOX_GONE.has(error.reason) && this.#inbox.end(error),
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
   * The private group that the daemon gave, such as `#alice#node1`: messages to it reach this mailbox alone. May be
   * another after a {@link ConnectionRestored}.
   */
  get privateGroup(): string {
    return this.#privateGroup;
  }

  /** The daemon that it was connected to, as a spread name. May be another after a {@link ConnectionRestored}. */
  get daemon(): string {
    return this.#daemon;
  }

  /** The sequence of the last event that the application took; 0 if none. */
  get lastSequence(): bigint {
    return this.#lastTaken;
  }

  /**
   * Joins a group (SP_join). Joining one that the mailbox is in changes nothing.
   *
   * @returns with `awaitView` the view that shows this mailbox as a member; it also comes as an event
   */
  async join(group: string, options: MembershipOptions = {}): Promise<ViewMessage | undefined> {
    const request = { mailboxId: this.id, group, awaitView: options.awaitView ?? false };
    const { view } = await this.#call(this.#rpc.client.join, request, options);
    return view && toView(view);
  }

  /**
   * Leaves a group (SP_leave). Leaving one that the mailbox is not in changes nothing.
   *
   * @returns with `awaitView` the self-leave, unless the mailbox was not in the group; it also comes as an event
   */
  async leave(group: string, options: MembershipOptions = {}): Promise<SelfLeaveMessage | undefined> {
    const request = { mailboxId: this.id, group, awaitView: options.awaitView ?? false };
    const { selfLeave } = await this.#call(this.#rpc.client.leave, request, options);
    return selfLeave && new SelfLeaveMessage(selfLeave.group);
  }

  /**
   * Sends a message to all members of a group, or to a private group (SP_multicast). Need not be a member.
   *
   * @param serviceType - one of UNRELIABLE_MESS to SAFE_MESS, with SELF_DISCARD added or not
   * @param group - 1 to 31 characters of `$` to `~`, or a private group
   * @param message - at most 143,119 bytes; text is sent as UTF-8
   * @param messageType - the application's own number, -32768 to 32767. Default: 0
   * @returns bytes of the message, when the daemon's connection took it
   * @throws {@link SpreadError}; its `outcome` tells whether the message may have been sent all the same
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
   * Sends one message to all members of several groups (SP_multigroup_multicast): a mailbox that is in more
   * than one of them gets it once. Else like {@link multicast}.
   *
   * @param groups - 1 to `limits.maxGroupsPerMessage`
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
   * A stream for many messages, for rates that one call a message can't reach. Its messages keep their order;
   * towards other calls of this mailbox they do after `flush()`.
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
   * The next event, waiting for it if need be (SP_receive). The first call begins to receive. Broken streams
   * are restored; each event comes once and in order.
   *
   * @param limits.timeoutMs - how long to wait; default: for ever. Then: status DEADLINE_EXCEEDED
   * @throws {@link SpreadError}, after the last event, with the reason why the mailbox ended; after
   * `disconnect` with code ILLEGAL_SESSION
   */
  async receive(limits: CallLimits = {}): Promise<SpreadEvent> {
    this.#receiver.start();
    this.#acknowledger?.request(this.#lastTaken);
    const event = await this.#inbox.take(limits);
    this.#onTaken(event);
    return event;
  }

  /**
   * The next event, waiting for it if need be, and behind it those that have come already: for rates at which one
   * promise an event costs too much. Else like {@link receive}; with automatic acknowledgement the call after it acknowledges all of them.
   *
   * @param limits.maxEvents - at most so many, at least 1. Default: 1,000
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

  /** The mailbox's events, until it is disconnected. Leaving the loop leaves the mailbox as it is. */
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

  /** Counts what waits, without taking it (SP_poll). */
  async poll(limits: CallLimits = {}): Promise<PollResult> {
    const answer = await this.#call(this.#rpc.client.poll, { mailboxId: this.id }, limits);
    return {
      bufferedEvents: this.#inbox.size,
      waitingEvents: Number(answer.waitingEvents),
      waitingBytes: Number(answer.waitingBytes),
      state: toState(answer.state),
    };
  }

  /**
   * Lets the sidecar forget events. Needed with EXPLICIT acknowledgement and `manualAcknowledgement`.
   *
   * @param upTo - every event up to and including this one. Default: the last one that was taken
   * @returns the last acknowledged event now
   */
  async acknowledge(upTo: bigint = this.#lastTaken, limits: CallLimits = {}): Promise<bigint> {
    const request = { mailboxId: this.id, upToSequence: upTo };
    return (await this.#call(this.#rpc.client.acknowledge, request, limits)).acknowledgedSequence;
  }

  /** The current view of a group that the mailbox is in, without waiting for a change. */
  async view(group: string, limits: CallLimits = {}): Promise<CurrentView> {
    const request = { mailboxId: this.id, group };
    const { view, inTransition } = await this.#call(this.#rpc.client.getView, request, limits);
    if (!view) throw incompleteAnswer('GetView', 'view');
    return { view: toView(view), inTransition };
  }

  /** State and counters, as the sidecar has them. */
  async info(limits: CallLimits = {}): Promise<MailboxInfo> {
    if (this.#closed) throw disconnectedError();
    return fetchInfo(this.#rpc, this.id, limits);
  }

  /**
   * Ends the mailbox (SP_disconnect). The events that had come by then can still be received. What belongs to
   * the mailbox on this side is closed even if the call fails; the sidecar then ends it after the lease.
   *
   * @returns whether this call ended it: false when it had ended, and when its sidecar is shutting down or cannot be reached
   */
  disconnect(options: DisconnectOptions = {}): Promise<boolean> {
    this.#disconnecting ??= this.#disconnect(options);
    return this.#disconnecting;
  }

  /**
   * Lets go of the mailbox without ending it: within the lease, `SpreadSidecar.attach` takes it up again with
   * what this gives, also in another process.
   */
  detach(): { mailboxId: string; afterSequence: bigint } {
    this.#receiver.close();
    this.#close();
    return { mailboxId: this.id, afterSequence: this.#lastTaken };
  }

  /** As {@link disconnect}, without its errors: they would hide the error of an `await using` block. */
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
        giveUpAfterMs: this.limits.leaseMs,
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
        ended: (error) => {
          if (error && !livesOn(error)) this.#letGo();
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
      // The caller's own cancellation, or a failure of a mailbox that may still be open.
      const mayBeOpen = this.#inbox.error === undefined || livesOn(this.#inbox.error);
      if (mayBeOpen && (options.signal?.aborted || !isGone(error))) throw error;
      return false;
    } finally {
      this.#receiver.close();
      this.#close();
    }
  }

  /** There is no mailbox any more that something could be done for in the background. */
  #letGo(): void {
    this.#acknowledger?.close();
    this.#keepAlive?.close();
  }

  #close(): void {
    this.#closed = true;
    this.#letGo();
    for (const sender of this.#senders) sender.abort();
    this.#senders.clear();
    this.#onClosed();
  }
}

/** State and counters of a mailbox. */
export async function fetchInfo(rpc: Rpc, mailboxId: string, limits: CallLimits): Promise<MailboxInfo> {
  const { mailbox } = await rpc.call(rpc.client.getMailbox, { mailboxId }, limits);
  if (!mailbox) throw incompleteAnswer('GetMailbox', 'mailbox');
  return toMailboxInfo(mailbox);
}
