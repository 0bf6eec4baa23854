import type { MetricBoard, MetricSet } from './metric-board.js';
import { type MetricsSample, summarise } from './metrics-sample.js';
import { mailboxMetrics, queueMetrics } from './metrics-table.js';

/** Labels with the value 0 from the start: kinds, service types and ends as the mailboxes count them. */
const KINDS = [
  'regular',
  'view',
  'transitional',
  'selfLeave',
  'rejected',
  'connectionLost',
  'connectionRestored',
];
const SERVICES = ['UNRELIABLE', 'RELIABLE', 'FIFO', 'CAUSAL', 'AGREED', 'SAFE'];
const END_REASONS = [
  'DISCONNECTED',
  'CONNECTION_CLOSED',
  'QUEUE_OVERFLOW',
  'SLOW_CONSUMER',
  'LEASE_EXPIRED',
  'DRAINING',
];
const RECONNECT_STAGES = ['started', 'succeeded', 'given_up'];

export interface MailboxMetricsOptions {
  /** The part of a queue limit from which a receiver counts as slow. */
  readonly noticeMark: number;
  /** Limit of the bytes in all queues. */
  readonly totalQueueBytes: number;
}

/** Mailboxes and their queues. */
export function mailboxMetricSet(board: MetricBoard, options: MailboxMetricsOptions): MetricSet {
  for (const kind of KINDS) board.set(mailboxMetrics.events, 0, { kind: snakeCase(kind) });
  for (const service of SERVICES) board.set(mailboxMetrics.sent, 0, { service_type: service });
  for (const reason of END_REASONS) board.set(mailboxMetrics.ended, 0, { reason });
  for (const stage of RECONNECT_STAGES) board.set(mailboxMetrics.reconnects, 0, { stage });
  board.set(queueMetrics.retainedLimit, options.totalQueueBytes);
  const eventsDelivered = board.observer(mailboxMetrics.deliveryTime, {});
  return {
    rows: [...Object.values(mailboxMetrics), ...Object.values(queueMetrics)],
    events: {
      mailbox: {
        opened: () => board.inc(mailboxMetrics.opened),
        ended: (_, reason) => board.inc(mailboxMetrics.ended, { reason }),
        reconnecting: () => board.inc(mailboxMetrics.reconnects, { stage: 'started' }),
        reconnected: () => board.inc(mailboxMetrics.reconnects, { stage: 'succeeded' }),
        reconnectGivenUp: () => board.inc(mailboxMetrics.reconnects, { stage: 'given_up' }),
        paused: () => board.inc(queueMetrics.pauses),
        slowConsumer: () => board.inc(queueMetrics.notices),
      },
      grpc: { eventsDelivered },
    },
    update: (sample) => {
      updateTotals(board, sample);
      updateSizes(board, sample, options.noticeMark);
    },
  };
}

function updateTotals(board: MetricBoard, { totals }: MetricsSample): void {
  for (const [kind, count] of Object.entries(totals.received))
    board.set(mailboxMetrics.events, count, { kind: snakeCase(kind) });
  board.set(mailboxMetrics.eventBytes, totals.eventBytes);
  board.set(mailboxMetrics.given, totals.eventsGiven);
  for (const [service, count] of Object.entries(totals.sentByService))
    board.set(mailboxMetrics.sent, count, { service_type: service });
  board.set(mailboxMetrics.sentBytes, totals.payloadBytesSent);
}

function updateSizes(board: MetricBoard, sample: MetricsSample, noticeMark: number): void {
  const sum = summarise(sample.mailboxes, noticeMark);
  board.clear(mailboxMetrics.mailboxes);
  for (const [state, count] of Object.entries(sum.states))
    board.set(mailboxMetrics.mailboxes, count, { state: state.toLowerCase() });
  board.set(mailboxMetrics.receivers, sum.receivers);
  board.set(mailboxMetrics.sendQueue, sum.sendQueueBytes);
  board.set(queueMetrics.events, sum.queueEvents);
  board.set(queueMetrics.bytes, sum.queueBytes);
  board.set(queueMetrics.largestEvents, sum.largestEvents);
  board.set(queueMetrics.largestBytes, sum.largestBytes);
  board.set(queueMetrics.retained, sample.retainedBytes);
  board.set(queueMetrics.paused, sum.paused);
  board.set(queueMetrics.slow, sum.slowConsumers);
  board.set(queueMetrics.softLimited, sum.softLimited);
  board.clear(queueMetrics.fill);
  board.clear(queueMetrics.slowBytes);
  for (const { displayId, privateGroup, fill, queueBytes } of sum.slow) {
    const labels = { mailbox: displayId, private_group: privateGroup };
    board.set(queueMetrics.fill, fill, labels);
    board.set(queueMetrics.slowBytes, queueBytes, labels);
  }
}

/** selfLeave → self_leave */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
