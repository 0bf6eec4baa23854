import type { EncodeEvent, MailboxEvent } from '../event.js';
import type { Acknowledgement, MailboxEnd, QueueLimits, SoftLimitOptions } from '../mailbox-types.js';
import { MailboxError } from '../sidecar-error.js';
import type { ByteBudget } from './byte-budget.js';
import { DeliveryQueue, NO_OUTSTANDING_LIMITS, type OutstandingLimits } from './delivery-queue.js';
import { EVENT_OVERHEAD_BYTES } from './event-log.js';
import { type AttachedTo, InboxAttachment } from './inbox-attachment.js';
import { QueueBounds, type QueueMark } from './queue-bounds.js';
import type {
  AttachInfo,
  Attachment,
  AttachOptions,
  Batch,
  Receiver,
  SlowConsumerNotice,
} from './receiver.js';
import { SoftLimit } from './soft-limit.js';

export interface InboxOptions {
  readonly acknowledgement: Acknowledgement;
  readonly limits: QueueLimits;
  /** The fraction of a limit at which the receiver gets a slow-consumer notice; above 0, at most 1. */
  readonly noticeMark: number;
  readonly encode: EncodeEvent;
  readonly budget: ByteBudget;
}

/** The controls and reports of an inbox from its first message on. */
export interface InboxHooks {
  /** Stop reading from the daemon: the queue is full. */
  pause(): void;
  /** Continue reading. */
  resume(): void;
  /** The queue exceeded the notice threshold or the soft limit. The receiver, if any, got a notice. */
  slowConsumer(notice: SlowConsumerNotice): void;
}

/** Decides how the state of an inbox affects the lifetime of its mailbox. */
export interface InboxListener {
  /** The queue is full and the policy is DISCONNECT. Nothing more is queued. */
  overflow(bound: string): void;
  /** The queue exceeded its soft limit for the whole allowed time. */
  softLimitOver(bound: string, timeMs: number): void;
  /** The mailbox has ended, and a receiver got events, or its transport sent some. */
  takenAfterEnd(): void;
  /** No receiver is attached, and no transport holds any memory of this mailbox. */
  released(): void;
  /** A receiver has attached. Returns the function to call when it has detached. */
  receiverAttached(): () => void;
}

/** The receiving half of a mailbox: its queue, its one receiver, and the effects of a full queue. */
export class Inbox implements AttachedTo {
  readonly #queue: DeliveryQueue;
  readonly #options: InboxOptions;
  readonly #hooks: InboxHooks;
  #listener!: InboxListener;
  readonly #bounds: QueueBounds;
  readonly #noticeMark: QueueMark;
  readonly #softLimit: SoftLimit | undefined;
  #current: InboxAttachment | undefined;
  #paused = false;
  #overMark = false;
  #wakeScheduled = false;
  #sealed = false;
  #end: MailboxEnd | undefined;
  #isEndDelivered = false;
  #eventsGiven = 0;
  /** No receiver gets any more events. */
  #isCut = false;
  #transitBytes = 0;
  /** Detached receivers whose transports still hold bytes. At most one, except for a moment. */
  readonly #former = new Set<InboxAttachment>();

  constructor(options: InboxOptions, hooks: InboxHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#queue = new DeliveryQueue(options.acknowledgement, options.encode);
    const { limits } = options;
    this.#bounds = new QueueBounds(this.#queue, limits, options.budget);
    this.#noticeMark = this.#bounds.markAt(options.noticeMark);
    this.#softLimit = limits.softLimit && this.#makeSoftLimit(limits.softLimit);
  }

  /** Sets the one listener. Call it once, before the first message and the first receiver. */
  listen(listener: InboxListener): void {
    this.#listener = listener;
  }

  get queue(): Readonly<
    Pick<
      DeliveryQueue,
      | 'lastSequence'
      | 'deliveredSequence'
      | 'acknowledgedSequence'
      | 'waitingEvents'
      | 'waitingBytes'
      | 'retainedBytes'
      | 'totalBytes'
      | 'loadEvents'
      | 'loadBytes'
    >
  > {
    return this.#queue;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get receiverAttached(): boolean {
    return this.#current !== undefined;
  }

  /** True while a receiver is attached, or a transport holds bytes for an earlier one. */
  get isHeld(): boolean {
    return this.#current !== undefined || this.#transitBytes > 0;
  }

  /** Milliseconds until the soft limit ends the mailbox. Undefined while its time does not run. */
  get softLimitRemainingMs(): number | undefined {
    return this.#softLimit?.remainingMs;
  }

  /** Number of events delivered to receivers. A redelivered event counts again. */
  get eventsGiven(): number {
    return this.#eventsGiven;
  }

  /** True after a receiver got all events and the end. */
  get isEndDelivered(): boolean {
    return this.#isEndDelivered;
  }

  /**
   * Queues a message of the daemon. Runs for every message, so it uses no promise, no closure and no telemetry.
   */
  enqueue(receivedAtMs: number, event: MailboxEvent, privateGroup: string): void {
    if (this.#sealed) return;
    const queue = this.#queue;
    const bytes = queue.prepare(receivedAtMs, event, privateGroup);
    if (this.#options.limits.overflow === 'DISCONNECT') {
      const bound = this.#bounds.brokenBy(bytes);
      if (bound !== undefined) {
        queue.discard();
        this.#sealed = true;
        this.#listener.overflow(bound);
        return;
      }
    }
    queue.commit();
    this.#options.budget.take(bytes + EVENT_OVERHEAD_BYTES);
    const roseOverMark = !this.#overMark && this.#noticeMark.isExceeded;
    if (roseOverMark) this.#overMark = true;
    if (this.#softLimit?.grown() || roseOverMark) this.#notifySlowConsumer();
    if (!this.#paused && this.#bounds.isReached) this.#pause();
    if (this.#current?.hungry) this.#scheduleWake();
  }

  /** The end: receivers get the remaining events and then the end. */
  finish(end: MailboxEnd): void {
    if (this.#end !== undefined) return;
    this.#sealed = true;
    this.#end = end;
    this.#softLimit?.stop();
    this.#scheduleWake();
  }

  /**
   * The mailbox has ended, and delivers no more events: the current receiver and each later one get the end
   * immediately.
   *
   * @param instead - the end for a receiver that did not get everything, when the owner ended the mailbox: a
   * successful end would hide the loss
   */
  cut(instead: Pick<MailboxEnd, 'reason' | 'message'>): void {
    if (this.#end === undefined) return;
    this.#isCut = true;
    if (this.#end.reason === 'DISCONNECTED' && !this.isComplete) this.#end = { ...this.#end, ...instead };
    this.#conclude(this.#end);
  }

  /** Discards the bytes in transports, of the current receiver and of earlier ones. */
  abandonReceivers(): void {
    for (const { receiver } of [...this.#former]) receiver.abandon();
    this.#current?.receiver.abandon();
  }

  /** Discards every event. */
  dispose(): void {
    this.#sealed = true;
    this.#softLimit?.stop();
    this.#options.budget.forget(this.#reconsider);
    this.#options.budget.give(this.#queue.clear());
  }

  /** See Mailbox.attach. */
  attach(
    options: AttachOptions,
    receiver: Receiver,
    about: Pick<AttachInfo, 'privateGroup' | 'groups'>,
  ): Attachment {
    const limits = this.#outstandingLimits(options);
    const queue = this.#queue;
    queue.seek(options.afterSequence);
    this.#freed(0);
    this.#replaceCurrent();
    const info: AttachInfo = {
      ...about,
      nextSequence: queue.cursor + 1,
      oldestRetainedSequence: queue.oldestRetained,
      lastSequence: queue.lastSequence,
      acknowledgement: this.#options.acknowledgement,
      acknowledgedSequence: queue.acknowledgedSequence,
    };
    const attachment = new InboxAttachment(this, receiver, limits, info, this.#listener.receiverAttached());
    attachment.needsNotice = this.softLimitRemainingMs !== undefined;
    this.#current = attachment;
    this.#scheduleWake();
    return attachment;
  }

  /** @throws MailboxError SEQUENCE_NOT_RETAINED */
  acknowledge(upTo: number): number {
    this.#freed(this.#queue.acknowledge(upTo));
    if (this.#current !== undefined) this.#scheduleWake();
    return this.#queue.acknowledgedSequence;
  }

  /** For the attachment. */
  take(attachment: InboxAttachment, maxBytes: number): Batch | undefined {
    if (attachment !== this.#current) return undefined;
    const batch = this.#queue.take(maxBytes, attachment.limits);
    if (batch === undefined) {
      attachment.hungry = true;
    } else {
      this.#eventsGiven += batch.lastSequence - batch.firstSequence + 1;
      this.#freed(0);
    }
    if (this.#end !== undefined) {
      if (batch !== undefined) this.#listener.takenAfterEnd();
      if (this.isComplete) this.#scheduleWake();
    }
    return batch;
  }

  /** For the attachment: the current receiver has detached. */
  detach(attachment: InboxAttachment): void {
    if (attachment === this.#current) {
      this.#current = undefined;
      this.#leave(attachment);
    } else attachment.release();
  }

  /** For the attachment, current or earlier. */
  inTransit(attachment: InboxAttachment, bytes: number): void {
    this.#transitBytes += bytes;
    if (bytes > 0) {
      this.#options.budget.take(bytes);
      return;
    }
    this.#options.budget.give(-bytes);
    if (attachment.transitBytes === 0) this.#former.delete(attachment);
    if (this.#end === undefined) return;
    this.#listener.takenAfterEnd();
    if (!this.isHeld) this.#listener.released();
  }

  /** For the attachment: everything was delivered. */
  get isComplete(): boolean {
    return this.#queue.cursor === this.#queue.lastSequence;
  }

  /** For the attachment. */
  isCurrent(attachment: InboxAttachment): boolean {
    return attachment === this.#current;
  }

  #outstandingLimits(options: AttachOptions): OutstandingLimits {
    const { maxOutstandingEvents = 0, maxOutstandingBytes = 0 } = options;
    if (this.#options.acknowledgement === 'AUTO') {
      const field =
        maxOutstandingEvents !== 0
          ? 'max_outstanding_events'
          : maxOutstandingBytes !== 0
            ? 'max_outstanding_bytes'
            : undefined;
      if (field === undefined) return NO_OUTSTANDING_LIMITS;
      throw new MailboxError(
        'FIELD_INVALID',
        `${field} needs EXPLICIT acknowledgement; with AUTO it must be 0`,
        {
          field,
          bound: '0',
        },
      );
    }
    return { events: maxOutstandingEvents || Infinity, bytes: maxOutstandingBytes || Infinity };
  }

  #replaceCurrent(): void {
    const former = this.#current;
    if (former === undefined) return;
    this.#current = undefined;
    this.#leave(former);
    former.receiver.onEnd({
      reason: 'RECEIVER_REPLACED',
      lastSequence: this.#queue.lastSequence,
      message: 'another Receive took over this mailbox',
    });
  }

  /**
   * A receiver has detached. Its transport keeps its bytes for the client to read, until the next receiver
   * detaches.
   */
  #leave(attachment: InboxAttachment): void {
    for (const { receiver } of [...this.#former]) receiver.abandon();
    if (attachment.transitBytes > 0) this.#former.add(attachment);
    attachment.release();
  }

  /**
   * Bytes were released or the receiver advanced: adjusts the replay window, and continues paused reading. The
   * window also shrinks when the budget of all mailboxes gets scarce.
   */
  #freed(memory: number): void {
    const { budget, limits } = this.#options;
    budget.give(memory);
    budget.give(this.#queue.trimReplay(Math.min(limits.replayBytes, budget.free)));
    if (this.#overMark && !this.#noticeMark.isExceeded) this.#overMark = false;
    this.#softLimit?.shrunk();
    if (this.#paused) this.#reconsider();
  }

  #makeSoftLimit({ fraction, timeMs }: SoftLimitOptions): SoftLimit {
    const mark = this.#bounds.markAt(fraction);
    return new SoftLimit(mark, timeMs, () => this.#listener.softLimitOver(mark.inWords, timeMs));
  }

  #notifySlowConsumer(): void {
    const notice = this.#notice();
    this.#current?.receiver.onSlowConsumer(notice);
    this.#hooks.slowConsumer(notice);
  }

  #notice(): SlowConsumerNotice {
    const { loadEvents, loadBytes } = this.#queue;
    const timeLeftMs = this.softLimitRemainingMs;
    const { events, bytes } = timeLeftMs === undefined ? this.#noticeMark : this.#softLimit!.mark;
    return {
      queuedEvents: loadEvents,
      queuedBytes: loadBytes,
      limits: this.#options.limits,
      mark: { events, bytes },
      timeLeftMs,
    };
  }

  #pause(): void {
    if (this.#options.limits.overflow !== 'PAUSE') return;
    this.#paused = true;
    this.#hooks.pause();
    this.#options.budget.whenFreed(this.#reconsider);
  }

  /** Bound once. The budget calls it when another mailbox has released bytes. */
  readonly #reconsider = (): void => {
    if (!this.#paused) return;
    if (!this.#bounds.isRelieved) {
      this.#options.budget.whenFreed(this.#reconsider);
      return;
    }
    this.#paused = false;
    this.#options.budget.forget(this.#reconsider);
    if (!this.#sealed) this.#hooks.resume();
  };

  #scheduleWake(): void {
    if (this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    // Runs after the current turn, so that all events of one read go out as one batch.
    queueMicrotask(this.#wake);
  }

  /** Bound once. */
  readonly #wake = (): void => {
    this.#wakeScheduled = false;
    const current = this.#current;
    if (current === undefined) return;
    if (this.#isCut && this.#end !== undefined) {
      this.#conclude(this.#end);
      return;
    }
    if (current.needsNotice) this.#notifyNewReceiver(current);
    if (current.hungry && this.#queue.mayTake(current.limits)) {
      current.hungry = false;
      current.receiver.onReadable();
    } else if (this.#end !== undefined && this.isComplete) {
      this.#conclude(this.#end);
    }
  };

  /** Runs in the turn after the attachment, when the receiver has started. */
  #notifyNewReceiver(current: InboxAttachment): void {
    current.needsNotice = false;
    if (this.softLimitRemainingMs !== undefined) current.receiver.onSlowConsumer(this.#notice());
  }

  #conclude(end: MailboxEnd): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    if (this.isComplete) this.#isEndDelivered = true;
    this.#leave(current);
    current.receiver.onEnd(end);
  }
}
