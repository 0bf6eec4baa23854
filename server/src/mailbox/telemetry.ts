import type { EndReason } from './mailbox-types.js';
import type { SlowConsumerNotice } from './queue/receiver.js';

/** The public data of a mailbox, which gives no access to it. */
export interface MailboxIdentity {
  readonly displayId: string;
  readonly privateGroup: string;
  /** The daemon, as a spread name. */
  readonly daemon: string;
}

/** Who opened a mailbox. */
export interface MailboxOpener {
  /** The address that the call came from, such as `127.0.0.1:51234` or `unix`; '' where there is none. */
  readonly peer: string;
  /** The identity of a caller: `tcp`, `unix`, `tls`, `certificate:<digest>`, `client:<name>`, `token:<digest>`. */
  readonly identity: string;
}

/**
 * Events of mailboxes, for logs and metrics. Only rare events are reported; the events of every message are counted
 * by the mailboxes and read by MailboxRegistry.totals(). None of these may throw.
 */
export interface MailboxTelemetry {
  opened(mailbox: MailboxIdentity, by: MailboxOpener): void;
  ended(mailbox: MailboxIdentity, reason: EndReason, message: string): void;
  /** Reading from the daemon stopped, because the queue is full. */
  paused(mailbox: MailboxIdentity): void;
  resumed(mailbox: MailboxIdentity): void;
  /** The queue rose over the notice mark or the soft bound. */
  slowConsumer(mailbox: MailboxIdentity, notice: SlowConsumerNotice): void;
  /** A daemon of a Connect could not be reached or rejected it. */
  connectFailed(daemon: string, error: Error): void;
  /** A call named a mailbox that its caller did not open, and was answered as if there were none. */
  foreignCall(mailbox: MailboxIdentity): void;
  /** The connection was lost and is being replaced. */
  reconnecting(mailbox: MailboxIdentity, message: string): void;
  /** One attempt of that failed. */
  reconnectFailed(mailbox: MailboxIdentity, daemon: string, error: Error): void;
  /** It stands again, after so many seconds. */
  reconnected(mailbox: MailboxIdentity, previousPrivateGroup: string, seconds: number): void;
  /** It could not be restored; the mailbox ends. */
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
