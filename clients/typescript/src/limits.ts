import {
  OverflowPolicy,
  type MailboxLimits as ProtoLimits,
  type QueueLimits as ProtoQueue,
  type SoftLimit as ProtoSoftLimit,
} from 'spread-sidecar-proto';
import { toCount, toDuration, toMilliseconds } from './duration.js';
import { fieldError } from './spread-error.js';

/** How long a queue may be nearly full before its mailbox is ended, with reason SLOW_CONSUMER. */
export interface SoftLimit {
  /** The soft bound, as a part of the queue's bounds: above 0, at most 1. */
  fraction: number;
  /** How long the queue may stay above it without a break. Unit: ms. */
  timeMs: number;
}

/** Bounds of a mailbox's event queue in the sidecar. */
export interface QueueLimits {
  /** Most events that may wait. */
  maxEvents: number;
  /** Most bytes that may wait, counted as encoded events. Unit: bytes. */
  maxBytes: number;
  /** With AUTO acknowledgement: bytes of events kept after they were handed out. Unit: bytes. */
  replayBytes: number;
  /** At a bound: stop reading from the daemon, or end the mailbox. */
  overflow: 'PAUSE' | 'DISCONNECT';
  /** A bound that the queue may be above only for a time. Undefined: there is none. */
  softLimit?: SoftLimit | undefined;
}

/** Bounds that are asked for. What is not set takes the sidecar's default. */
export interface QueueOptions extends Partial<Omit<QueueLimits, 'softLimit'>> {
  /** A bound that the queue may be above only for a time; `timeMs` is required if the sidecar has no default. */
  softLimit?: Partial<SoftLimit> | undefined;
}

/** The limits that hold for a mailbox. */
export interface MailboxLimits {
  /** How long it lives while nothing uses it. Unit: ms. */
  leaseMs: number;
  /** Bounds of its event queue. */
  queue: QueueLimits;
  /** Most groups that a message may be sent to. */
  maxGroupsPerMessage: number;
  /** Most bytes that payload + 32 x groups may have. Unit: bytes. */
  maxMessageBytes: number;
  /** Most groups that it may be in. */
  maxGroups: number;
  /** Most bytes that may wait to be sent to the daemon. Unit: bytes. */
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
