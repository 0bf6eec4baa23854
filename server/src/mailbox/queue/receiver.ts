import type { Acknowledgement, MailboxEnd, QueueLimits } from '../mailbox-types.js';

/** The reader of a mailbox: one stream. None of its methods may throw. All are called outside of take(). */
export interface Receiver {
  /**
   * There are events to take. Called once, then not again until take() has returned undefined. The receiver
   * therefore takes until undefined, or until its transport is full and then again on drain.
   */
  onReadable(): void;
  /**
   * The queue exceeded the notice threshold or the soft limit, or this receiver attached while the time of the
   * soft limit runs.
   */
  onSlowConsumer(notice: SlowConsumerNotice): void;
  /**
   * The last call: the receiver is detached. Called when it has taken all retained events and the mailbox has
   * ended, or immediately when another receiver took over or a drain ran out of time.
   */
  onEnd(end: MailboxEnd): void;
  /**
   * The mailbox does not wait any longer for the bytes in the receiver's transport: discard them, and report that
   * with inTransit(). Can be called after onEnd, more than once, and when the transport is empty.
   */
  abandon(): void;
}

/** The queue of a mailbox fills faster than it is emptied. */
export interface SlowConsumerNotice {
  readonly queuedEvents: number;
  readonly queuedBytes: number;
  readonly limits: QueueLimits;
  /** The exceeded limit: the soft limit while its time runs, otherwise the notice threshold. */
  readonly mark: { readonly events: number; readonly bytes: number };
  /** Milliseconds until the soft limit ends the mailbox. Undefined while its time does not run. */
  readonly timeLeftMs: number | undefined;
}

/** The start position of a receiver, and how many events it takes without acknowledgement. */
export interface AttachOptions {
  /**
   * Start after this event. 0: with the first. Undefined: after the last delivered (AUTO) or acknowledged
   * (EXPLICIT) event.
   */
  readonly afterSequence?: number | undefined;
  /** EXPLICIT only: largest number of delivered and unacknowledged events. 0: no limit. */
  readonly maxOutstandingEvents?: number;
  /**
   * EXPLICIT only: largest size of delivered and unacknowledged encoded events, but always one event. 0: no limit.
   * Unit: bytes.
   */
  readonly maxOutstandingBytes?: number;
}

/** The first frame of a receiver. */
export interface AttachInfo {
  readonly nextSequence: number;
  readonly oldestRetainedSequence: number;
  readonly lastSequence: number;
  readonly privateGroup: string;
  readonly groups: readonly string[];
  readonly acknowledgement: Acknowledgement;
  readonly acknowledgedSequence: number;
}

/** Consecutive encoded events. */
export interface Batch {
  /**
   * The concatenated bytes of the events. A list instead of one buffer: a transport can write several, and one
   * that cannot must copy them after its own header anyway. The buffers are few and large, because neighbouring
   * events share one.
   */
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /**
   * When one event of the batch was read from the daemon, by the monotonic clock. Undefined in a batch without a
   * measured event: the queue measures one event at a time. Unit: ms.
   */
  readonly queuedAtMs: number | undefined;
  /**
   * Releases `buffers`, whose memory is then reused. Has no effect the second time. It may also never be called.
   */
  release(): void;
}

/** A receiver's attachment to the mailbox. */
export interface Attachment {
  readonly info: AttachInfo;
  /** False after the receiver was detached or replaced, or got the end. */
  readonly attached: boolean;
  /** True when everything that the mailbox has received was delivered: a heartbeat may be sent. */
  readonly complete: boolean;
  /** The last event that this receiver got or skipped with its start position. */
  readonly givenSequence: number;
  /**
   * The next events, at least one, up to `maxBytes` bytes. A larger event is alone in its batch. Undefined: no
   * event may be delivered now (or this receiver is detached). onReadable follows when that changes.
   */
  take(maxBytes: number): Batch | undefined;
  /**
   * Changes the bytes of copies in the receiver's transport, which count in the limit of all mailboxes. The
   * receiver must also report their release, even after it was detached.
   */
  inTransit(bytes: number): void;
  /** Detaches. The mailbox and its events stay. A second call has no effect. */
  detach(): void;
}
