import type { ServiceTypeName } from '../../spread/wire/index.js';
import { EventCounts, type EventKind, ServiceCounts } from '../counters.js';
import type { Mailbox } from '../mailbox.js';
import type { MailboxSnapshot } from '../mailbox-types.js';
import type { ByteBudget } from '../queue/byte-budget.js';

/** Counters of all mailboxes since the start, including discarded ones. They only grow. */
export interface MailboxTotals {
  readonly received: Readonly<Record<EventKind, number>>;
  /** Bytes of encoded events that were queued. */
  readonly eventBytes: number;
  /** Number of events delivered to receivers. A redelivered event counts again. */
  readonly eventsGiven: number;
  readonly messagesSent: number;
  readonly sentByService: Readonly<Record<ServiceTypeName, number>>;
  readonly payloadBytesSent: number;
}

/**
 * The state of one mailbox. `LEAVING`: it cannot be found any more, but its receiver or its connection is not
 * finished.
 */
export type MailboxStatus = Omit<MailboxSnapshot, 'state'> & {
  readonly state: MailboxSnapshot['state'] | 'LEAVING';
};

/** A mailbox for pages that read a part of it at a time. Its values can change between two turns of the event loop. */
export interface InspectedMailbox {
  readonly mailbox: Pick<Mailbox, 'ageMs' | 'owner' | 'daemon' | 'snapshot' | 'memberships'>;
  readonly isLeaving: boolean;
}

/** The current values of all mailboxes. */
export interface MailboxSizes {
  readonly open: number;
  readonly ended: number;
  /**
   * Number of leaving mailboxes: they cannot be found any more, but their receiver or connection is not finished.
   */
  readonly leaving: number;
  readonly receivers: number;
  readonly paused: number;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  /** Bytes in queues, including replay windows and copies in transports, and their limit. */
  readonly retainedBytes: number;
  readonly retainedBytesBound: number;
  readonly sendQueueBytes: number;
}

/** The current values of these mailboxes. */
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

/** The sum of the counters. */
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

/** The counters of one mailbox, or of many. */
type Summand = Pick<Mailbox, keyof MailboxTotals>;
