import type { Logger } from '../observability/index.js';
import { bufferLimits, type MemoryPlan, plannedBytes } from './memory-plan.js';

/** Logs the limit and the derived values, and warns when configured limits do not fit. */
export function reportMemory(plan: MemoryPlan, embeddedDaemon: boolean, logger: Logger): void {
  const { limit, origin, bounds } = plan;
  logger.info({ memoryLimit: limit, memoryOrigin: origin, bounds }, 'memory');
  const planned = plannedBytes(plan, embeddedDaemon);
  if (planned > limit)
    logger.warn(
      { memoryLimit: limit, plannedBytes: planned },
      `queues and buffers may exceed memory.limit: raise memory.limit, or lower one of ${bufferLimits(embeddedDaemon).join(', ')}`,
    );
}
