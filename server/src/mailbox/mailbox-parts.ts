import { checkMulticast } from '../spread/wire/index.js';
import { DaemonConnection, type ReconnectPlan } from './connection/daemon-connection.js';
import type { MailboxSession } from './connection/mailbox-session.js';
import { inSpreadTerms } from './end-errors.js';
import type { EncodeEvent } from './event.js';
import { GroupMemberships } from './group-memberships.js';
import { Lease } from './lifetime/lease.js';
import { MailboxLifetime } from './lifetime/mailbox-lifetime.js';
import type { Acknowledgement, MailboxLimits } from './mailbox-types.js';
import { Outbox } from './outbound/outbox.js';
import { Requests } from './outbound/requests.js';
import type { ByteBudget } from './queue/byte-budget.js';
import { Inbox } from './queue/inbox.js';
import type { MailboxIdentity, MailboxTelemetry } from './telemetry.js';

/** The components of a mailbox. */
export interface MailboxOptions {
  /** Connected and not started. */
  readonly session: MailboxSession;
  /** 128 random bits in hexadecimal. Their holder owns the mailbox. */
  readonly id: string;
  readonly displayId: string;
  /** The identity that opened it. Default: ''. */
  readonly owner?: string;
  /** The client whose limit of mailboxes it counts in. Default: the owner's. */
  readonly client?: string;
  /** The daemon, as a Spread name. */
  readonly daemon: string;
  readonly membership: boolean;
  /** Whether it ends when the client has closed its connections. Default: false. */
  readonly endWithConnection?: boolean;
  readonly acknowledgement: Acknowledgement;
  readonly limits: MailboxLimits;
  /** The fraction of a queue limit at which a receiver gets a slow-consumer notice; above 0, at most 1. */
  readonly noticeMark: number;
  /** Time limit for a clean disconnect, after which the connection is aborted. Unit: ms. */
  readonly disconnectTimeoutMs: number;
  readonly encode: EncodeEvent;
  readonly budget: ByteBudget;
  /** Limit of queued bytes to daemons, of all mailboxes together. Default: no limit. */
  readonly sendBudget?: ByteBudget;
  readonly telemetry: MailboxTelemetry;
  /** How a lost connection is replaced. Undefined: the mailbox ends with it. */
  readonly reconnect?: ReconnectPlan | undefined;
  /** The lease expired: the mailbox is unused, or no receiver reads the remaining events of a slow consumer. */
  onLeaseEnd(): void;
}

/** The parts of one mailbox. */
export interface MailboxParts {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly groups: GroupMemberships;
  readonly requests: Requests;
  readonly lease: Lease;
  readonly connection: DaemonConnection;
  readonly lifetime: MailboxLifetime;
}

/** Creates the parts of a mailbox in the order of their dependencies. The connection is not started yet. */
export function mailboxParts(mailbox: MailboxIdentity, options: MailboxOptions): MailboxParts {
  const { session, daemon, limits, telemetry, disconnectTimeoutMs, reconnect } = options;
  const groups = new GroupMemberships(session.privateGroup, options.membership);
  const lease = new Lease(limits.leaseMs, () => options.onLeaseEnd());
  const messageLimits = { maxGroups: limits.maxGroupsPerMessage, maxBody: limits.maxMessageBytes };
  const outbox = new Outbox(
    session,
    (message) => inSpreadTerms(() => checkMulticast(message, messageLimits)),
    limits.maxSendQueueBytes,
    options.sendBudget,
  );
  const opened = { session, daemon };
  const connection = new DaemonConnection({
    opened,
    outbox,
    groups,
    disconnectTimeoutMs,
    telemetry,
    mailbox,
    reconnect,
  });
  const { acknowledgement, noticeMark, encode, budget } = options;
  const inbox = new Inbox(
    { acknowledgement, limits: limits.queue, noticeMark, encode, budget },
    {
      pause: () => {
        connection.pause();
        telemetry.paused(mailbox);
      },
      resume: () => {
        connection.resume();
        telemetry.resumed(mailbox);
      },
      slowConsumer: (notice) => telemetry.slowConsumer(mailbox, notice),
    },
  );
  const lifetime = new MailboxLifetime(
    { inbox, groups, lease, connection },
    {
      ended: (reason, message) => telemetry.ended(mailbox, reason, message),
      abandoned: () => options.onLeaseEnd(),
    },
  );
  const requests = new Requests({
    outbox,
    groups,
    reconnects: reconnect !== undefined,
    maxGroups: limits.maxGroups,
    end: () => lifetime.end,
  });
  return { inbox, outbox, groups, requests, lease, connection, lifetime };
}
