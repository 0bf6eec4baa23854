import type { ClientConnection } from '../../mailbox/lifetime/client-presence.js';
import type { Mailbox } from '../../mailbox/mailbox.js';
import type { MailboxRegistry } from '../../mailbox/registry/registry.js';
import type { Version } from '../../spread/wire/index.js';
import type { AdminCredential } from '../calls/credentials.js';
import type { FailureTranslator } from '../codec/failure.js';
import { required } from '../codec/request-fields.js';

/** The values of GetVersion that do not follow from the contract. */
export interface VersionFacts {
  /** The sidecar's release. */
  sidecar: string;
  /** The default daemon that stands now; undefined while there is none. */
  daemon: { version: Version; address: string } | undefined;
  embeddedDaemon: boolean;
}

export interface ReceiveStreamLimits {
  /** Most bytes of one batch; a larger event makes a batch of its own. */
  readonly maxBatchBytes: number;
  /**
   * Bytes that may lie in the transport, not yet taken by HTTP/2, before the next batch is pulled. Two batches
   * keep it busy: the one that is being written and the next.
   */
  readonly maxBytesInFlight: number;
}

/** Bounds of what a caller may ask for, beside those that mailboxes have. */
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
  /** Interval for a Receive that asks for none. Unit: ms. Undefined: no heartbeats. */
  readonly heartbeatDefaultMs: number | undefined;
  /** Most messages of one MulticastBatch. */
  readonly maxBatchMessages: number;
}

/** What the handlers of MailboxService work with. */
export interface ServiceContext {
  readonly registry: MailboxRegistry;
  readonly failures: FailureTranslator;
  readonly admin: AdminCredential;
  readonly limits: ServiceLimits;
  version(): VersionFacts;
}

/**
 * The mailbox that a request names, whose lease this call renews.
 *
 * @param call its identity, because to everybody but who opened it a mailbox is not there; and its connection
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
