import type { OutstandingLimits } from './delivery-queue.js';
import type { AttachInfo, Attachment, Batch, Receiver } from './receiver.js';

/** The part of an inbox that an attachment uses. */
export interface AttachedTo {
  take(attachment: InboxAttachment, maxBytes: number): Batch | undefined;
  detach(attachment: InboxAttachment): void;
  isCurrent(attachment: InboxAttachment): boolean;
  inTransit(attachment: InboxAttachment, bytes: number): void;
  readonly isComplete: boolean;
}

/** The attachment of one receiver to an inbox. */
export class InboxAttachment implements Attachment {
  /** Whether take() has returned undefined since the last onReadable, or onReadable was never called. */
  hungry = true;
  /** Whether the receiver attached while the time of the soft limit ran, and has no notice of it yet. */
  needsNotice = false;
  givenSequence: number;
  /** Bytes of copies in the receiver's transport. */
  transitBytes = 0;
  readonly #inbox: AttachedTo;

  constructor(
    inbox: AttachedTo,
    readonly receiver: Receiver,
    readonly limits: OutstandingLimits,
    readonly info: AttachInfo,
    /** Detaches this receiver from the mailbox. Further calls have no effect. */
    readonly release: () => void,
  ) {
    this.#inbox = inbox;
    this.givenSequence = info.nextSequence - 1;
  }

  get attached(): boolean {
    return this.#inbox.isCurrent(this);
  }

  get complete(): boolean {
    return this.attached && this.#inbox.isComplete;
  }

  take(maxBytes: number): Batch | undefined {
    const batch = this.#inbox.take(this, maxBytes);
    if (batch !== undefined) this.givenSequence = batch.lastSequence;
    return batch;
  }

  inTransit(bytes: number): void {
    this.transitBytes += bytes;
    this.#inbox.inTransit(this, bytes);
  }

  detach(): void {
    this.#inbox.detach(this);
  }
}
