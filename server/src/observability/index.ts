export { createEvents, type EventSubscriber, type SidecarEvents } from './events.js';
export { type LogSubscriber, logEvents } from './log-events.js';
export { createLogger, type Logger, type LoggerOptions, silentLogger } from './logger.js';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics.js';
export type { MetricsSample } from './metrics-sample.js';
export { ThrottledLog } from './throttled-log.js';
