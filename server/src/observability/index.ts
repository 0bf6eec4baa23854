export { createEvents, type EventSubscriber, type SidecarEvents } from './events.js';
export { type LogSubscriber, logEvents } from './log/log-events.js';
export { createLogger, type Logger, type LoggerOptions, silentLogger } from './log/logger.js';
export { withoutSecretTexts } from './log/redaction.js';
export { ThrottledLog } from './log/throttled-log.js';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics/metrics.js';
export type { MetricsSample } from './metrics/metrics-sample.js';
