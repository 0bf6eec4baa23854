import type { SlowConsumerNotice } from 'spread-sidecar-proto';
import { toDate, toMilliseconds } from './duration.js';

/** A warning that the application receives too slowly, before the limit ends the mailbox. */
export interface SlowConsumer {
  queuedEvents: number;
  queuedBytes: number;
  /** The thresholds of the queue in events and in bytes. The queue exceeds at least one of them. */
  markEvents: number;
  markBytes: number;
  /**
   * Time until the sidecar ends the mailbox, unless the queue falls to the threshold earlier. Undefined
   * without a soft limit. Unit: ms.
   */
  timeLeftMs: number | undefined;
  /** When the sidecar sent the notice, by the sidecar's clock. Earlier events can delay the notice. */
  time: Date | undefined;
}

export function toSlowConsumer(notice: SlowConsumerNotice): SlowConsumer {
  return {
    queuedEvents: Number(notice.queuedEvents),
    queuedBytes: Number(notice.queuedBytes),
    markEvents: Number(notice.markEvents),
    markBytes: Number(notice.markBytes),
    timeLeftMs: notice.timeLeft && toMilliseconds(notice.timeLeft),
    time: toDate(notice.time),
  };
}
