import type { BackoffOptions } from './backoff.js';

/** What a mailbox does when its private name is still in use when it could have a connection again. */
export type NameLossPolicy = 'END' | 'SUFFIX' | 'DAEMON_MADE';

/** How a client wants a lost daemon connection to be replaced. */
export interface ReconnectOptions {
  /** Milliseconds after the loss; undefined: the sidecar's default. */
  readonly giveUpAfterMs?: number | undefined;
  readonly onNameLoss: NameLossPolicy;
  /** Messages wait for the connection, up to the bound of the send queue, instead of being rejected. */
  readonly queueMulticasts: boolean;
}

/** The sidecar's configuration of it. Times are milliseconds. */
export interface ReconnectSettings {
  /** The pauses before the attempts. */
  readonly backoff: BackoffOptions;
  readonly giveUp: { readonly defaultMs: number; readonly minMs: number; readonly maxMs: number };
  /** How long a private name is tried that another session holds. */
  readonly nameWaitMs: number;
}
