import type { EndReason } from './mailbox-types.js';
import type { SlowConsumerNotice } from './queue/receiver.js';

/** The public data of a mailbox, which gives no access to it. */
export interface MailboxIdentity {
  readonly displayId: string;
  readonly privateGroup: string;
  /** The daemon, as a Spread name. */
  readonly daemon: string;
}

/** The client that opened a mailbox. */
export interface MailboxOpener {
  /** The address of the caller, such as `127.0.0.1:51234` or `unix`. '' without an address. */
  readonly peer: string;
  /** The identity of a caller: `tcp`, `unix`, `tls`, `certificate:<digest>`, `client:<name>`, `token:<digest>`. */
  readonly identity: string;
}

/**
 * Events of mailboxes, for logs and metrics. Only rare events are reported. The mailboxes count the events of
 * every message, and MailboxRegistry.totals() reads the counters. None of these methods may throw.
 */
export interface MailboxTelemetry {
  opened(mailbox: MailboxIdentity, by: MailboxOpener): void;
  ended(mailbox: MailboxIdentity, reason: EndReason, message: string): void;
  /** Reading from the daemon was paused because the queue is full. */
  paused(mailbox: MailboxIdentity): void;
  resumed(mailbox: MailboxIdentity): void;
  /** The queue exceeded the notice threshold or the soft limit. */
  slowConsumer(mailbox: MailboxIdentity, notice: SlowConsumerNotice): void;
  /** A daemon of a Connect could not be reached or rejected it. */
  connectFailed(daemon: string, error: Error): void;
  /** A call named a mailbox of another client, which does not exist for the caller. */
  foreignCall(mailbox: MailboxIdentity): void;
  /** The connection was lost and is being replaced. */
  reconnecting(mailbox: MailboxIdentity, message: string): void;
  /** One attempt to reconnect failed. */
  reconnectFailed(mailbox: MailboxIdentity, daemon: string, error: Error): void;
  /** The mailbox has reconnected after this number of seconds. */
  reconnected(mailbox: MailboxIdentity, previousPrivateGroup: string, seconds: number): void;
  /** The connection could not be replaced. The mailbox ends. */
  reconnectGivenUp(mailbox: MailboxIdentity, message: string): void;
  /** A defect of the sidecar. */
  defect(error: unknown): void;
}

/** No observer. */
export const SILENT: MailboxTelemetry = {
  opened() {},
  ended() {},
  paused() {},
  resumed() {},
  slowConsumer() {},
  connectFailed() {},
  foreignCall() {},
  reconnecting() {},
  reconnectFailed() {},
  reconnected() {},
  reconnectGivenUp() {},
  defect() {},
};
