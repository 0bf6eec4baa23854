/** The embedded Spread daemon: one node, wire-compatible with Spread 5.0.1. */
export { EmbeddedDaemon, type EmbeddedDaemonOptions } from './daemon.js';
export type { CutReason, DaemonCounters, DaemonEvent, Transport } from './events.js';
export { type Listening, type ListenOptionsOfDaemon, listen } from './listen.js';
export {
  type ConfMistake,
  parseSpreadConf,
  type SpreadConf,
  SpreadConfError,
  type SpreadConfOptions,
} from './spread-conf/spread-conf.js';
