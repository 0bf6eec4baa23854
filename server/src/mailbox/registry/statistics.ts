import { EventCounts, type MailboxSizes, type MailboxTotals, ServiceCounts } from '../counters.js';
import type { Mailbox } from '../mailbox.js';
import type { ByteBudget } from '../queue/byte-budget.js';

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
