import type { BackoffOptions } from './backoff.js';

/** What a reconnecting mailbox does when its private name is still in use. */
export type NameLossPolicy = 'END' | 'SUFFIX' | 'DAEMON_MADE';

/** How a client wants a lost daemon connection to be replaced. */
export interface ReconnectOptions {
  /** Time after the loss, in ms. Undefined: the sidecar's default. */
  readonly giveUpAfterMs?: number | undefined;
  readonly onNameLoss: NameLossPolicy;
  /** Whether messages wait for the connection, up to the limit of the send queue, instead of being rejected. */
  readonly queueMulticasts: boolean;
}

/** The sidecar's configuration of reconnecting. Times are milliseconds. */
export interface ReconnectSettings {
  /** The pauses between the attempts. */
  readonly backoff: BackoffOptions;
  readonly giveUp: { readonly defaultMs: number; readonly minMs: number; readonly maxMs: number };
  /** Time for which a private name is tried while another session holds it. */
  readonly nameWaitMs: number;
}
