import type { MailboxEnd } from '../../../server/src/mailbox/mailbox-types.js';
import type { Attachment, Receiver, SlowConsumerNotice } from '../../../server/src/mailbox/queue/receiver.js';
import { type PlainEvent, plainEvents } from './plain-events.js';

/** A receiver that takes what it is told of, as long as it is willing, and remembers everything. */
export class RecordingReceiver implements Receiver {
  readonly events: PlainEvent[] = [];
  /** How many events each batch had. */
  readonly batches: number[] = [];
  readonly notices: SlowConsumerNotice[] = [];
  readonly ends: MailboxEnd[] = [];
  wakes = 0;
  /** How often the mailbox gave up what its transport holds. */
  abandons = 0;
  attachment: Attachment | undefined;

  constructor(
    /** False: stalled, as when the transport is full. */
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
