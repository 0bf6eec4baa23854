import { LIMIT_NAMES } from './limit-names.js';
import type { MetricBoard, MetricSet } from './metric-board.js';
import { limitMetrics } from './metrics-table.js';

const KNOWN: ReadonlySet<string> = new Set(LIMIT_NAMES);

/** Requests of clients beyond a limit. */
export function limitMetricSet(board: MetricBoard): MetricSet {
  for (const limit of LIMIT_NAMES) board.set(limitMetrics.refusals, 0, { limit });
  return {
    rows: Object.values(limitMetrics),
    events: {
      limits: {
        reached: (limit) => board.inc(limitMetrics.refusals, { limit: KNOWN.has(limit) ? limit : 'other' }),
      },
    },
  };
}
