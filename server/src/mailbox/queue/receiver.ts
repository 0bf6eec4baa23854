import type { Acknowledgement, MailboxEnd, QueueLimits } from '../mailbox-types.js';

/** What reads a mailbox: one stream. None of its methods may throw; all are called outside of take(). */
export interface Receiver {
  /**
   * There is something to take. Called once, then not again until take() has returned undefined; so a
   * receiver that is woken takes until undefined, or until its transport is full and then again on drain.
   */
  onReadable(): void;
  /** The queue rose over the notice mark or the soft bound, or this receiver came while the time of the soft limit runs. */
  onSlowConsumer(notice: SlowConsumerNotice): void;
  /**
   * The last call: the receiver is detached. Comes when everything retained has been taken and the mailbox
   * has ended, or at once when another receiver took over or a drain ran out of time.
   */
  onEnd(end: MailboxEnd): void;
  /**
   * The mailbox does not wait any longer for what the receiver's transport still holds: drop it, and report it with
   * inTransit(). May come after onEnd, more than once, and when the transport holds nothing.
   */
  abandon(): void;
}

/** The queue of a mailbox fills faster than it is emptied. */
export interface SlowConsumerNotice {
  readonly queuedEvents: number;
  readonly queuedBytes: number;
  readonly limits: QueueLimits;
  /** The mark that the queue is above: the soft bound while the time of the soft limit runs, else the notice mark. */
  readonly mark: { readonly events: number; readonly bytes: number };
  /** Milliseconds until the soft limit ends the mailbox; undefined: none threatens. */
  readonly timeLeftMs: number | undefined;
}

/** Where a receiver wants to begin and how much it takes unacknowledged. */
export interface AttachOptions {
  /** Begin after this event; 0 = with the first. Undefined: after the last one given (AUTO) or acknowledged (EXPLICIT). */
  readonly afterSequence?: number | undefined;
  /** EXPLICIT only: most events given and not acknowledged; 0 = no bound. */
  readonly maxOutstandingEvents?: number;
  /** EXPLICIT only: most encoded bytes given and not acknowledged, but always one event; 0 = no bound. */
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

/** Encoded events in sequence. */
export interface Batch {
  /**
   * The events' bytes side by side. A list and not one buffer: a transport can write several, and one that can't has to
   * copy them behind its own header anyway. Few and large: neighbouring events share one.
   */
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** The transport has what it needs of `buffers`: their memory is used again. Twice is harmless, never as well. */
  release(): void;
}

/** A receiver's hold on the mailbox. */
export interface Attachment {
  readonly info: AttachInfo;
  /** False after the receiver was detached, replaced or got the end. */
  readonly attached: boolean;
  /** True when everything that the mailbox has received was given: the moment for a heartbeat. */
  readonly complete: boolean;
  /** The last event given to this receiver or passed over by its choice of where to begin. */
  readonly givenSequence: number;
  /**
   * The next events, at least one, up to `maxBytes` bytes; a larger event comes alone. Undefined: nothing may be
   * given now (or this receiver is detached); onReadable follows when that changes.
   */
  take(maxBytes: number): Batch | undefined;
  /**
   * The receiver's transport holds so many bytes of copies more, or fewer: they count with what all mailboxes may hold.
   * The reporter must also report their release, even after the receiver was detached.
   */
  inTransit(bytes: number): void;
  /** Lets go; the mailbox and its events stay. Twice is harmless. */
  detach(): void;
}
