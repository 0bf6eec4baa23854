import type { SlowConsumerNotice } from 'spread-sidecar-proto';
import { toDate, toMilliseconds } from './duration.js';

/** What a receiver that is too slow is told, before it costs the mailbox. */
export interface SlowConsumer {
  queuedEvents: number;
  queuedBytes: number;
  /** The mark that the queue is above, in events and in bytes, whichever it is. */
  markEvents: number;
  markBytes: number;
  /**
   * How long after it was said the mailbox will be ended, unless the queue falls to the mark before. Undefined: no
   * soft limit threatens. Unit: ms.
   */
  timeLeftMs: number | undefined;
  /** When it was said, by the sidecar's clock: it may have waited behind the events before it. */
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
