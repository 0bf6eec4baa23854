import type { MetricBoard, MetricSet } from './metric-board.js';
import { limitMetrics } from './metrics-table.js';

/** Every limit that is counted: a label must not grow by what clients send. */
export const LIMITS = [
  'limits.maxConnections',
  'process.openFiles',
  'admin.connections',
  'limits.maxControlFrames',
  'limits.requestTimeout',
  'limits.stallTimeout',
  'limits.maxBufferedRequestBytes',
  'limits.maxCalls',
  'limits.maxCallsPerClient',
  'limits.maxCallsPerSecond',
  'limits.maxMessagesPerSecond',
  'limits.maxBatchMessages',
  'limits.maxMailboxesPerClient',
  'http2.opening',
  'http2.unauthenticated',
  'http2.smallRequests',
  'health.watchers',
  'grpc.maxReceiveMessageBytes',
  'mailbox.maxMailboxes',
  'mailbox.maxGroups',
  'mailbox.sendQueueMaxBytes',
  'mailbox.totalQueueMaxBytes',
  'mailbox.totalSendQueueMaxBytes',
  'limits.maxUnsentResponseBytes',
] as const;
const KNOWN: ReadonlySet<string> = new Set(LIMITS);

/** Who asked for more than there is. */
export function limitMetricSet(board: MetricBoard): MetricSet {
  for (const limit of LIMITS) board.set(limitMetrics.refusals, 0, { limit });
  return {
    rows: Object.values(limitMetrics),
    events: {
      limits: {
        reached: (limit) => board.inc(limitMetrics.refusals, { limit: KNOWN.has(limit) ? limit : 'other' }),
      },
    },
  };
}
