export { createEvents, type EventSubscriber, type SidecarEvents } from './events.js';
export { leftOutLines } from './left-out-lines.js';
export { type LogSubscriber, logEvents } from './log-events.js';
export { LogThrottle } from './log-throttle.js';
export { createLogger, type Logger, type LoggerOptions, silentLogger } from './logger.js';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics.js';
export type { MetricsSample } from './metrics-sample.js';
