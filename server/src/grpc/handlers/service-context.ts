import type { ClientConnection } from '../../mailbox/lifetime/client-presence.js';
import type { Mailbox } from '../../mailbox/mailbox.js';
import type { MailboxRegistry } from '../../mailbox/registry/registry.js';
import type { Version } from '../../spread/wire/index.js';
import type { AdminCredential } from '../calls/credentials.js';
import type { GrpcTelemetry } from '../calls/methods.js';
import type { FailureTranslator } from '../codec/failure.js';
import type { HeaderMode } from '../codec/message-headers.js';
import { required } from '../codec/request-fields.js';
import type { Tracing } from '../codec/tracing.js';

/** The values of GetVersion that the contract does not determine. */
export interface VersionFacts {
  /** The sidecar's release. */
  sidecar: string;
  /** The current default daemon. Undefined while there is none. */
  daemon: { version: Version; address: string } | undefined;
  embeddedDaemon: boolean;
}

export interface ReceiveStreamLimits {
  /** Largest size of one batch in bytes. A larger event is a batch of its own. */
  readonly maxBatchBytes: number;
  /**
   * Bytes in the transport, not yet accepted by HTTP/2, up to which the next batch is taken. Two batches keep the
   * transport busy: the one that is being written and the next.
   */
  readonly maxBytesInFlight: number;
}

/** Limits of requested values, beside those of mailboxes. */
export interface ServiceLimits extends ReceiveStreamLimits {
  /** Shortest lease. Unit: ms. */
  readonly leaseMinMs: number;
  /** Longest lease. Unit: ms. */
  readonly leaseMaxMs: number;
  /** Shortest reconnect.give_up_after. Unit: ms. */
  readonly giveUpMinMs: number;
  /** Longest reconnect.give_up_after. Unit: ms. */
  readonly giveUpMaxMs: number;
  /** Shortest heartbeat_interval. Unit: ms. */
  readonly heartbeatMinMs: number;
  /** Interval for a Receive that requests none. Unit: ms. Undefined: no heartbeats. */
  readonly heartbeatDefaultMs: number | undefined;
  /** Largest number of messages of one MulticastBatch. */
  readonly maxBatchMessages: number;
}

/** The dependencies of the handlers of MailboxService. */
export interface ServiceContext {
  readonly registry: MailboxRegistry;
  readonly failures: FailureTranslator;
  readonly admin: AdminCredential;
  readonly limits: ServiceLimits;
  /** Whether messages may have headers. */
  readonly headers: HeaderMode;
  readonly telemetry: Pick<GrpcTelemetry, 'eventsDelivered'>;
  /** Undefined while tracing is off. */
  readonly tracing?: Tracing | undefined;
  version(): VersionFacts;
}

/**
 * The mailbox of a request. Renews its lease.
 *
 * @param call its identity, because a mailbox exists only for its owner; and its connection
 * @throws EdgeError FIELD_REQUIRED; SpreadError ILLEGAL_SESSION
 */
export function mailboxOf(
  context: ServiceContext,
  call: { readonly caller: string; readonly clientConnection: ClientConnection | undefined },
  mailboxId: string,
  field = 'mailbox_id',
): Mailbox {
  return context.registry.get(required(mailboxId, field), call.caller, call.clientConnection);
}
