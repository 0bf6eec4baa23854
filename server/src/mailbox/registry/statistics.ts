import type { ServiceTypeName } from '../../spread/wire/index.js';
import { EventCounts, type EventKind, ServiceCounts } from '../counters.js';
import type { Mailbox } from '../mailbox.js';
import type { MailboxSnapshot } from '../mailbox-types.js';
import type { ByteBudget } from '../queue/byte-budget.js';

/** What all mailboxes, also those that are gone, have done since the start. Only ever grows. */
export interface MailboxTotals {
  readonly received: Readonly<Record<EventKind, number>>;
  /** Bytes of encoded events queued. */
  readonly eventBytes: number;
  /** Events given to receivers; one that is given again counts again. */
  readonly eventsGiven: number;
  readonly messagesSent: number;
  readonly sentByService: Readonly<Record<ServiceTypeName, number>>;
  readonly payloadBytesSent: number;
}

/** How one mailbox stands. `LEAVING`: it can't be found any more, but its receiver or its connection is not through yet. */
export type MailboxStatus = Omit<MailboxSnapshot, 'state'> & {
  readonly state: MailboxSnapshot['state'] | 'LEAVING';
};

/** How things stand now. */
export interface MailboxSizes {
  readonly open: number;
  readonly ended: number;
  /** Those that can't be found any more, but whose receiver or connection is not through yet. */
  readonly leaving: number;
  readonly receivers: number;
  readonly paused: number;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  /** Bytes that the queues hold, replay windows and copies on their way to clients included, and their bound. */
  readonly retainedBytes: number;
  readonly retainedBytesBound: number;
  readonly sendQueueBytes: number;
}

/** How things stand with these mailboxes. */
export function sizesOf(
  mailboxes: Iterable<Mailbox>,
  leaving: Iterable<Mailbox>,
  budget: ByteBudget,
): MailboxSizes {
  const sizes = {
    open: 0,
    ended: 0,
    leaving: 0,
    receivers: 0,
    paused: 0,
    waitingEvents: 0,
    waitingBytes: 0,
    retainedBytes: budget.used,
    retainedBytesBound: budget.totalBytes,
    sendQueueBytes: 0,
  };
  const add = (mailbox: Mailbox): void => {
    const { waitingEvents, waitingBytes } = mailbox.poll();
    if (mailbox.receiverAttached) sizes.receivers++;
    if (mailbox.paused) sizes.paused++;
    sizes.waitingEvents += waitingEvents;
    sizes.waitingBytes += waitingBytes;
    sizes.sendQueueBytes += mailbox.sendQueueBytes;
  };
  for (const mailbox of mailboxes) {
    if (mailbox.state === 'ENDED') sizes.ended++;
    else sizes.open++;
    add(mailbox);
  }
  for (const mailbox of leaving) {
    sizes.leaving++;
    add(mailbox);
  }
  return sizes;
}

/** What mailboxes have done, summed up. */
export class TotalsSum implements MailboxTotals {
  readonly received = new EventCounts();
  eventBytes = 0;
  eventsGiven = 0;
  messagesSent = 0;
  readonly sentByService = new ServiceCounts();
  payloadBytesSent = 0;

  add(done: Summand): void {
    this.received.addAll(done.received);
    this.eventBytes += done.eventBytes;
    this.eventsGiven += done.eventsGiven;
    this.messagesSent += done.messagesSent;
    this.sentByService.addAll(done.sentByService);
    this.payloadBytesSent += done.payloadBytesSent;
  }
}

/** What one mailbox, or many, have done. */
type Summand = Pick<Mailbox, keyof MailboxTotals>;
