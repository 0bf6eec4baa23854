import { MAX_NAMED_SLOW_CONSUMERS } from './metrics-table.js';

/** What all mailboxes together have done since the start. */
export interface TotalsSample {
  /** Events by kind. */
  readonly received: Readonly<Record<string, number>>;
  readonly eventBytes: number;
  readonly eventsGiven: number;
  /** Messages handed to daemons, by service type. */
  readonly sentByService: Readonly<Record<string, number>>;
  readonly payloadBytesSent: number;
}

/** How one mailbox stands. */
export interface MailboxSample {
  readonly displayId: string;
  readonly privateGroup: string;
  readonly state: string;
  readonly receiverAttached: boolean;
  readonly paused: boolean;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  /** What counts against the bounds of the queue: what waits and, with EXPLICIT, what is unacknowledged. */
  readonly loadEvents: number;
  readonly loadBytes: number;
  /** Defined while the time of the soft limit runs. */
  readonly softLimitEndsAtMs: number | undefined;
  readonly sendQueueBytes: number;
  readonly limits: { readonly queue: { readonly maxEvents: number; readonly maxBytes: number } };
}

/** What the embedded daemon has and has done. */
export interface EmbeddedDaemonSample {
  readonly sessions: number;
  readonly groups: number;
  readonly queuedBytes: number;
  readonly sessionsOpened: number;
  readonly sessionsCut: number;
  readonly clientsRefused: number;
  readonly messagesReceived: number;
  readonly messagesDelivered: number;
}

/** How things stand at one scrape. */
export interface MetricsSample {
  readonly totals: TotalsSample;
  readonly mailboxes: Iterable<MailboxSample>;
  /** Bytes that all queues hold, and copies on their way to clients. */
  readonly retainedBytes: number;
  readonly embeddedDaemon?: EmbeddedDaemonSample | undefined;
}

/** A mailbox above the notice mark, or whose soft limit's time runs. */
export interface SlowConsumer {
  readonly displayId: string;
  readonly privateGroup: string;
  readonly queueBytes: number;
  /** 1 = a bound is reached. */
  readonly fill: number;
}

/** What the mailboxes come to. `slow` holds the fullest only. */
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
