import type { JsonPage } from '../admin/json-pages.js';
import type { InspectedMailbox } from '../mailbox/registry/statistics.js';
import { pageQuery } from './query.js';
import { type Orders, RecentRows, Rows } from './recent-rows.js';
import { byText, isoTime, type RowFormat, rowsPage } from './rows-page.js';
import { Slices } from './slices.js';

/** Groups of one snapshot. */
const MAX_GROUPS = 20_000;
/** Members that a row lists. */
const MAX_MEMBERS = 100;

type Mailbox = InspectedMailbox['mailbox'];
type Membership = ReturnType<Mailbox['memberships']> extends Generator<infer One> ? One : never;

/** A group as the mailboxes at one daemon know it. */
interface GroupRow {
  readonly daemon: string;
  /** The one with the latest view. */
  membership: Membership;
  /** Mailboxes of this sidecar in the group. */
  mailboxes: number;
}

const memberCount = (row: GroupRow) => row.membership.view?.members.length ?? -1;

const ORDERS = {
  group: (a, b) => byText(a.membership.group, b.membership.group) || byText(a.daemon, b.daemon),
  members: (a, b) => memberCount(a) - memberCount(b),
  mailboxes: (a, b) => a.mailboxes - b.mailboxes,
  lastChange: (a, b) => a.membership.viewedAtMs - b.membership.viewedAtMs,
} satisfies Orders<GroupRow>;

const FORMAT: RowFormat<GroupRow> = {
  list: 'groups',
  texts: (row) => [row.membership.group],
  fields: ({ daemon, mailboxes, membership: { group, view, viewedAtMs } }) => ({
    group,
    daemon,
    mailboxes,
    memberCount: view?.members.length ?? null,
    members: view?.members.slice(0, MAX_MEMBERS) ?? [],
    lastChange: view
      ? {
          at: isoTime(viewedAtMs),
          cause: view.cause,
          changedCount: view.changed.length,
          changed: view.changed.slice(0, MAX_MEMBERS),
          groupId: view.groupId.words,
        }
      : null,
  }),
};

/** `/groups.json`. */
export function groupsPage(inspected: () => readonly InspectedMailbox[]): JsonPage {
  const recent = new RecentRows(() => groupRows(inspected()));
  const orders = Object.keys(ORDERS);
  return (query) => rowsPage(recent, pageQuery(query, orders), FORMAT);
}

async function groupRows(inspected: readonly InspectedMailbox[]): Promise<Rows<GroupRow>> {
  const slices = new Slices();
  const rows = new Map<string, GroupRow>();
  let isComplete = true;
  for (const { mailbox } of inspected) {
    const { daemon } = mailbox;
    for (const membership of mailbox.memberships()) {
      if (slices.isOver) await slices.next();
      // A group name contains no space.
      const key = `${membership.group} ${daemon}`;
      const row = rows.get(key);
      if (row !== undefined) {
        row.mailboxes++;
        if (membership.viewedAtMs > row.membership.viewedAtMs) row.membership = membership;
      } else if (rows.size < MAX_GROUPS) rows.set(key, { daemon, membership, mailboxes: 1 });
      else isComplete = false;
    }
  }
  return new Rows([...rows.values()], ORDERS, isComplete);
}
