import type { ReconnectPlan } from './connection/daemon-connection.js';
import type { MailboxSession } from './connection/mailbox-session.js';
import type { EncodeEvent } from './event.js';
import type { Acknowledgement, MailboxLimits } from './mailbox-types.js';
import type { ByteBudget } from './queue/byte-budget.js';
import type { MailboxTelemetry } from './telemetry.js';

/** What a mailbox is made of. */
export interface MailboxOptions {
  /** Connected and not started. */
  readonly session: MailboxSession;
  /** 128 random bits in hexadecimal: whoever has it owns the mailbox. */
  readonly id: string;
  readonly displayId: string;
  /** Who opened it. Default ''. */
  readonly owner?: string;
  /** Whose bound for mailboxes it counts in. Default: the owner's. */
  readonly client?: string;
  /** The daemon, as a spread name. */
  readonly daemon: string;
  readonly membership: boolean;
  /** Whether it ends when the client has closed its connections. Default false. */
  readonly endWithConnection?: boolean;
  readonly acknowledgement: Acknowledgement;
  readonly limits: MailboxLimits;
  /** The part of a queue bound from which a receiver is told that it is too slow; above 0, at most 1. */
  readonly noticeMark: number;
  /** How long a clean goodbye may take before the connection is dropped, milliseconds. */
  readonly goodbyeMs: number;
  readonly encode: EncodeEvent;
  readonly budget: ByteBudget;
  /** What all mailboxes together may have waiting for their daemons. Default: no bound. */
  readonly sendBudget?: ByteBudget;
  readonly telemetry: MailboxTelemetry;
  /** How a lost connection is made anew; undefined: the mailbox ends with it. */
  readonly reconnect?: ReconnectPlan | undefined;
  /** The lease is over: nobody uses the mailbox any more, or takes what one that was ended for slowness still has. */
  onLeaseEnd(): void;
}
