import {
  OverflowPolicy,
  type MailboxLimits as ProtoLimits,
  type QueueLimits as ProtoQueue,
  type SoftLimit as ProtoSoftLimit,
} from 'spread-sidecar-proto';
import { toCount, toDuration, toMilliseconds } from './duration.js';
import { fieldError } from './spread-error.js';

/** The soft limit of a queue. A mailbox that exceeds it for too long ends with reason SLOW_CONSUMER. */
export interface SoftLimit {
  /** The soft limit as a fraction of the queue's limits: above 0, at most 1. */
  fraction: number;
  /** Maximum time that the queue may continuously exceed the soft limit. Unit: ms. */
  timeMs: number;
}

/** Limits of a mailbox's delivery queue in the sidecar. */
export interface QueueLimits {
  /** Maximum number of queued events. */
  maxEvents: number;
  /** Maximum size of the queued events, as encoded. Unit: bytes. */
  maxBytes: number;
  /** Replay window in AUTO mode: size of the delivered events that the sidecar retains. Unit: bytes. */
  replayBytes: number;
  /** What the sidecar does at a limit: stop reading from the daemon, or end the mailbox. */
  overflow: 'PAUSE' | 'DISCONNECT';
  /** A limit that the queue may exceed for some time. Undefined if there is none. */
  softLimit?: SoftLimit | undefined;
}

/** Requested limits. A limit that is not set takes the sidecar's default. */
export interface QueueOptions extends Partial<Omit<QueueLimits, 'softLimit'>> {
  /** A limit that the queue may exceed for some time. `timeMs` is required if the sidecar has no default. */
  softLimit?: Partial<SoftLimit> | undefined;
}

/** The limits of a mailbox. */
export interface MailboxLimits {
  /** The lease: the time that the mailbox lives without a receiver and without calls. Unit: ms. */
  leaseMs: number;
  /** Limits of the delivery queue. */
  queue: QueueLimits;
  /** Maximum number of groups to which a message can be sent. */
  maxGroupsPerMessage: number;
  /** Maximum of this sum: payload size + 32 × number of groups. Unit: bytes. */
  maxMessageBytes: number;
  /** Maximum number of groups that the mailbox can be in. */
  maxGroups: number;
  /** Maximum size of the send queue to the daemon. Unit: bytes. */
  maxSendQueueBytes: number;
}

export function toMailboxLimits(limits: ProtoLimits | undefined): MailboxLimits {
  const queue = limits?.queue;
  return {
    leaseMs: toMilliseconds(limits?.lease),
    queue: {
      maxEvents: Number(queue?.maxEvents ?? 0n),
      maxBytes: Number(queue?.maxBytes ?? 0n),
      replayBytes: Number(queue?.replayBytes ?? 0n),
      overflow: queue?.overflow === OverflowPolicy.DISCONNECT ? 'DISCONNECT' : 'PAUSE',
      softLimit: queue?.softLimit && {
        fraction: queue.softLimit.fraction,
        timeMs: toMilliseconds(queue.softLimit.time),
      },
    },
    maxGroupsPerMessage: limits?.maxGroupsPerMessage ?? 0,
    maxMessageBytes: limits?.maxMessageBytes ?? 0,
    maxGroups: limits?.maxGroups ?? 0,
    maxSendQueueBytes: Number(limits?.maxSendQueueBytes ?? 0n),
  };
}

export function fromQueueOptions(queue: QueueOptions | undefined): ProtoQueue | undefined {
  if (!queue) return undefined;
  return {
    maxEvents: toCount(queue.maxEvents, 'queue.maxEvents'),
    maxBytes: toCount(queue.maxBytes, 'queue.maxBytes'),
    replayBytes: toCount(queue.replayBytes, 'queue.replayBytes'),
    overflow: queue.overflow === undefined ? OverflowPolicy.UNSPECIFIED : OverflowPolicy[queue.overflow],
    softLimit: queue.softLimit && fromSoftLimit(queue.softLimit),
  };
}

function fromSoftLimit({ fraction = 0, timeMs }: Partial<SoftLimit>): ProtoSoftLimit {
  if (!(fraction >= 0 && fraction <= 1))
    throw fieldError('queue.softLimit.fraction', 'a number from 0 to 1', fraction);
  return { fraction, time: toDuration(timeMs, 'queue.softLimit.timeMs') };
}
