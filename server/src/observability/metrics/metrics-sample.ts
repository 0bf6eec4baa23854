import type { DaemonCounters } from '../../daemon/events.js';
import type { QueueLimits } from '../../mailbox/mailbox-types.js';
import type { MailboxStatus, MailboxTotals } from '../../mailbox/registry/statistics.js';
import { MAX_NAMED_SLOW_CONSUMERS } from './metrics-table.js';

/** The values of one mailbox for the metrics. */
type MailboxSample = Pick<
  MailboxStatus,
  | 'displayId'
  | 'privateGroup'
  | 'state'
  | 'receiverAttached'
  | 'paused'
  | 'waitingEvents'
  | 'waitingBytes'
  | 'loadEvents'
  | 'loadBytes'
  | 'softLimitEndsAtMs'
  | 'sendQueueBytes'
> & { readonly limits: { readonly queue: Pick<QueueLimits, 'maxEvents' | 'maxBytes'> } };

/** The values at one scrape. */
export interface MetricsSample {
  readonly totals: MailboxTotals;
  readonly mailboxes: Iterable<MailboxSample>;
  /** Bytes in all queues, including copies in transports. */
  readonly retainedBytes: number;
  readonly embeddedDaemon?: DaemonCounters | undefined;
}

/** A mailbox above the notice threshold, or whose soft limit's time runs. */
export interface SlowConsumer {
  readonly displayId: string;
  readonly privateGroup: string;
  readonly queueBytes: number;
  /** 1 = a limit is reached. */
  readonly fill: number;
}

/** The totals over all mailboxes. `slow` contains only the fullest. */
export function summarise(mailboxes: Iterable<MailboxSample>, noticeMark: number) {
  const sum = {
    states: { OPEN: 0, RECONNECTING: 0, ENDED: 0, LEAVING: 0 } as Record<string, number>,
    receivers: 0,
    paused: 0,
    queueEvents: 0,
    queueBytes: 0,
    largestEvents: 0,
    largestBytes: 0,
    sendQueueBytes: 0,
    slowConsumers: 0,
    softLimited: 0,
    slow: [] as SlowConsumer[],
  };
  for (const mailbox of mailboxes) {
    sum.states[mailbox.state] = (sum.states[mailbox.state] ?? 0) + 1;
    if (mailbox.receiverAttached) sum.receivers++;
    if (mailbox.paused) sum.paused++;
    sum.queueEvents += mailbox.waitingEvents;
    sum.queueBytes += mailbox.waitingBytes;
    sum.largestEvents = Math.max(sum.largestEvents, mailbox.waitingEvents);
    sum.largestBytes = Math.max(sum.largestBytes, mailbox.waitingBytes);
    sum.sendQueueBytes += mailbox.sendQueueBytes;
    const { maxEvents, maxBytes } = mailbox.limits.queue;
    const threatened = mailbox.softLimitEndsAtMs !== undefined;
    if (threatened) sum.softLimited++;
    const fill = Math.max(mailbox.loadEvents / maxEvents, mailbox.loadBytes / maxBytes);
    if (fill < noticeMark && !threatened) continue;
    const { displayId, privateGroup, loadBytes: queueBytes } = mailbox;
    sum.slow.push({ displayId, privateGroup, queueBytes, fill });
  }
  sum.slowConsumers = sum.slow.length;
  sum.slow = sum.slow.sort((a, b) => b.fill - a.fill).slice(0, MAX_NAMED_SLOW_CONSUMERS);
  return sum;
}
