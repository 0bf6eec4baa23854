import type { MailboxEnd } from '../../../server/src/mailbox/mailbox-types.js';
import type { Attachment, Receiver, SlowConsumerNotice } from '../../../server/src/mailbox/queue/receiver.js';
import { type PlainEvent, plainEvents } from './plain-events.js';

/** A receiver that takes events while `willing`, and records everything. */
export class RecordingReceiver implements Receiver {
  readonly events: PlainEvent[] = [];
  /** Number of events in each batch. */
  readonly batches: number[] = [];
  readonly notices: SlowConsumerNotice[] = [];
  readonly ends: MailboxEnd[] = [];
  wakes = 0;
  /** Number of times that the mailbox released the bytes in the transport. */
  abandons = 0;
  attachment: Attachment | undefined;

  constructor(
    /** False: stalled, as with a full transport. */
    public willing = true,
    readonly maxBytes = Number.POSITIVE_INFINITY,
  ) {}

  get sequences(): number[] {
    return this.events.map((event) => event.sequence);
  }

  get end(): MailboxEnd | undefined {
    return this.ends[0];
  }

  onReadable(): void {
    this.wakes++;
    if (this.willing) this.takeAll();
  }

  onSlowConsumer(notice: SlowConsumerNotice): void {
    this.notices.push(notice);
  }

  onEnd(end: MailboxEnd): void {
    this.ends.push(end);
  }

  abandon(): void {
    this.abandons++;
  }

  takeAll(): void {
    for (;;) {
      const batch = this.attachment?.take(this.maxBytes);
      if (batch === undefined) return;
      const events = plainEvents(batch);
      this.batches.push(events.length);
      this.events.push(...events);
    }
  }
}
