import { checkMulticast } from '../spread/wire/index.js';
import { DaemonConnection, type DaemonConnectionHooks } from './connection/daemon-connection.js';
import { inSpreadTerms } from './end-errors.js';
import { GroupMemberships } from './group-memberships.js';
import { Lease } from './lifetime/lease.js';
import { MailboxLife } from './lifetime/mailbox-lifetime.js';
import type { MailboxOptions } from './mailbox-options.js';
import { Outbox } from './outbound/outbox.js';
import { Requests } from './outbound/requests.js';
import { Inbox } from './queue/inbox.js';
import type { MailboxIdentity } from './telemetry.js';

/** The parts of one mailbox. */
export interface MailboxParts {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly groups: GroupMemberships;
  readonly requests: Requests;
  readonly lease: Lease;
  readonly connection: DaemonConnection;
  readonly life: MailboxLife;
}

/** Makes the parts of a mailbox and ties them together. The connection is still to be started. */
export function mailboxParts(
  mailbox: MailboxIdentity,
  options: MailboxOptions,
  hooks: Pick<DaemonConnectionHooks, 'onMessage' | 'enqueue'>,
): MailboxParts {
  const { session, daemon, limits, telemetry, goodbyeMs, reconnect } = options;
  const groups = new GroupMemberships(session.privateGroup, options.membership);
  const lease = new Lease(limits.leaseMs, () => options.onLeaseEnd());
  const messageLimits = { maxGroups: limits.maxGroupsPerMessage, maxBody: limits.maxMessageBytes };
  const outbox = new Outbox(
    session,
    (message) => inSpreadTerms(() => checkMulticast(message, messageLimits)),
    limits.maxSendQueueBytes,
    options.sendBudget,
  );
  const inbox: Inbox = new Inbox(
    {
      acknowledgement: options.acknowledgement,
      limits: limits.queue,
      noticeMark: options.noticeMark,
      encode: options.encode,
      budget: options.budget,
    },
    {
      pause: () => {
        connection.pause();
        telemetry.paused(mailbox);
      },
      resume: () => {
        connection.resume();
        telemetry.resumed(mailbox);
      },
      overflow: (bound) => life.endAsSlow('QUEUE_OVERFLOW', `reached its bound of ${bound}`, { bound }),
      slowConsumer: (notice) => telemetry.slowConsumer(mailbox, notice),
      softLimitOver: (bound, timeMs) => {
        const time = `${timeMs} ms`;
        life.endAsSlow('SLOW_CONSUMER', `was above its soft bound of ${bound} for ${time}`, { bound, time });
      },
      takenAfterEnd: () => life.takenAfterEnd(),
      released: () => life.released(),
      receiverAttached: () => life.holdForReceiver(),
    },
  );
  const connection: DaemonConnection = new DaemonConnection(
    { opened: { session, daemon }, outbox, groups, goodbyeMs, telemetry, mailbox, reconnect },
    {
      ...hooks,
      mayReconnect: () => !inbox.paused,
      end: () => life.end,
      finish: (reason, message) => life.finish(reason, message),
    },
  );
  const life: MailboxLife = new MailboxLife(
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
    end: () => life.end,
  });
  return { inbox, outbox, groups, requests, lease, connection, life };
}
