import { toCount, toMilliseconds } from './duration.js';
import type { MailboxLimits as ProtoLimits } from './gen/spread/sidecar/v1/mailbox_service.js';
import { OverflowPolicy, type QueueLimits as ProtoQueue } from './gen/spread/sidecar/v1/types.js';

/** Bounds of a mailbox's event queue in the sidecar. What is not set takes the sidecar's default. */
export interface QueueLimits {
  /** Most events that may wait. */
  maxEvents: number;
  /** Most bytes that may wait, counted as encoded events. Unit: bytes. */
  maxBytes: number;
  /** With AUTO acknowledgement: bytes of events kept after they were handed out. Unit: bytes. */
  replayBytes: number;
  /** At a bound: stop reading from the daemon, or end the mailbox. */
  overflow: 'PAUSE' | 'DISCONNECT';
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
    },
    maxGroupsPerMessage: limits?.maxGroupsPerMessage ?? 0,
    maxMessageBytes: limits?.maxMessageBytes ?? 0,
    maxGroups: limits?.maxGroups ?? 0,
    maxSendQueueBytes: Number(limits?.maxSendQueueBytes ?? 0n),
  };
}

export function fromQueueLimits(queue: Partial<QueueLimits> | undefined): ProtoQueue | undefined {
  if (!queue) return undefined;
  return {
    maxEvents: toCount(queue.maxEvents, 'queue.maxEvents'),
    maxBytes: toCount(queue.maxBytes, 'queue.maxBytes'),
    replayBytes: toCount(queue.replayBytes, 'queue.replayBytes'),
    overflow: queue.overflow === undefined ? OverflowPolicy.UNSPECIFIED : OverflowPolicy[queue.overflow],
  };
}
