import type { JsonPage } from '../admin/json-pages.js';
import type { InspectedMailbox, MailboxStatus } from '../mailbox/registry/statistics.js';
import { pageQuery } from './query.js';
import { type Rate, Rates } from './rates.js';
import { type Orders, RecentRows, Rows } from './recent-rows.js';
import { byText, isoTime, type RowFormat, rowsPage } from './rows-page.js';
import { Slices } from './slices.js';

/** Groups that a row lists. */
const MAX_GROUPS = 100;

type MailboxRow = MailboxStatus & Rate & { readonly client: string; readonly groupCount: number };

const number = (row: MailboxRow) => Number(row.displayId.slice(1));

const ORDERS = {
  displayId: (a, b) => number(a) - number(b),
  privateGroup: (a, b) => byText(a.privateGroup, b.privateGroup),
  client: (a, b) => byText(a.client, b.client),
  queueEvents: (a, b) => a.loadEvents - b.loadEvents,
  queueBytes: (a, b) => a.loadBytes - b.loadBytes,
  receivedPerSecond: (a, b) => a.receivedPerSecond - b.receivedPerSecond,
  sentPerSecond: (a, b) => a.sentPerSecond - b.sentPerSecond,
} satisfies Orders<MailboxRow>;

const FORMAT: RowFormat<MailboxRow> = {
  list: 'mailboxes',
  texts: (row) => [row.privateGroup, row.client],
  fields: (row) => ({
    displayId: row.displayId,
    privateGroup: row.privateGroup,
    client: row.client,
    daemon: row.daemon,
    state: row.state,
    openedAt: isoTime(row.openedAtMs),
    receiverAttached: row.receiverAttached,
    membership: row.membership,
    groupCount: row.groupCount,
    groups: row.groups,
    queue: {
      events: row.loadEvents,
      maxEvents: row.limits.queue.maxEvents,
      bytes: row.loadBytes,
      maxBytes: row.limits.queue.maxBytes,
      waitingEvents: row.waitingEvents,
      waitingBytes: row.waitingBytes,
      paused: row.paused,
    },
    sendQueue: { bytes: row.sendQueueBytes, maxBytes: row.limits.maxSendQueueBytes },
    received: { events: row.lastSequence, perSecond: row.receivedPerSecond },
    sent: { messages: row.messagesSent, perSecond: row.sentPerSecond },
    ratePeriodMs: row.periodMs,
    lease: { durationMs: row.limits.leaseMs, endsAt: isoTime(row.leaseEndsAtMs) },
  }),
};

/** `/mailboxes.json`. */
export function mailboxesPage(inspected: () => readonly InspectedMailbox[]): JsonPage {
  const rates = new Rates();
  const recent = new RecentRows(async () => new Rows(await mailboxRows(inspected(), rates), ORDERS));
  const orders = Object.keys(ORDERS);
  return (query) => rowsPage(recent, pageQuery(query, orders), FORMAT);
}

async function mailboxRows(inspected: readonly InspectedMailbox[], rates: Rates): Promise<MailboxRow[]> {
  const slices = new Slices();
  const rows: MailboxRow[] = [];
  rates.begin();
  for (const { mailbox, isLeaving } of inspected) {
    if (slices.isOver) await slices.next();
    const snapshot = mailbox.snapshot();
    const { displayId, lastSequence, messagesSent, groups } = snapshot;
    rows.push({
      ...snapshot,
      ...rates.of(displayId, lastSequence, messagesSent, mailbox.ageMs),
      state: isLeaving ? 'LEAVING' : snapshot.state,
      client: mailbox.owner,
      groupCount: groups.length,
      groups: groups.slice(0, MAX_GROUPS),
    });
  }
  return rows;
}
