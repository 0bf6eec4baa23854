import { number } from '../format.js';
import { useLive } from '../live.js';
import { type Column, DataTable, FilterField, Pager, rowsQuery } from '../parts/data-table.js';
import { Ago, Empty, Names } from '../parts/small-parts.js';
import { changeSettings, type Route } from '../route.js';
import type { Group, GroupRows } from '../types.js';

/** The groups of the sidecar's mailboxes. */
export function Groups({ route }: { route: Route }) {
  const query = rowsQuery(route, 'group');
  const { data, isCurrent, mistake } = useLive(
    ({ api }, signal) => api.get<GroupRows>('/groups.json', query, signal),
    JSON.stringify(query),
  );
  const now = data?.at ?? '';
  const columns: readonly Column<Group>[] = [
    {
      title: 'Group',
      orders: [{ name: 'group', label: 'group' }],
      cell: ({ group, daemon }) => (
        <>
          <b class="name">{group}</b>
          <br />
          <span class="muted">at {daemon}</span>
        </>
      ),
    },
    {
      title: 'Members',
      orders: [{ name: 'members', label: 'members', isNumber: true }],
      cell: ({ members, memberCount }) =>
        memberCount === null ? (
          <span class="muted" title="No view yet, or no mailbox receives membership messages.">
            unknown
          </span>
        ) : (
          <>
            <b>{number(memberCount)}</b> <Names names={members} count={memberCount} />
          </>
        ),
    },
    {
      title: 'Mailboxes here',
      orders: [{ name: 'mailboxes', label: 'mailboxes', isNumber: true }],
      cell: ({ mailboxes }) => number(mailboxes),
    },
    {
      title: 'Last change',
      orders: [{ name: 'lastChange', label: 'last change', isNumber: true }],
      cell: ({ lastChange }) =>
        lastChange && (
          <>
            <b>{lastChange.cause}</b> <Ago at={lastChange.at} now={now} />
            <br />
            <Names names={lastChange.changed} count={lastChange.changedCount} shown={2} />
          </>
        ),
    },
  ];
  return (
    <section aria-labelledby="groups-title">
      <div class="tools">
        <h2 id="groups-title">Groups</h2>
        <FilterField route={route} label="Group contains (same case)" />
        {data && <Pager route={route} rows={data} shown={data.groups.length} limit={query.limit} />}
      </div>
      {mistake && <p class="mistake">{mistake}</p>}
      {data && !data.complete && (
        <p class="mistake">There are too many groups. The page omits some of them.</p>
      )}
      {data && data.groups.length === 0 && (
        <Empty>{query.filter === '' ? 'No mailbox is in a group.' : 'No group matches the filter.'}</Empty>
      )}
      {data && data.groups.length > 0 && (
        <DataTable
          caption="Groups"
          columns={columns}
          rows={data.groups}
          keyOf={({ group, daemon }) => `${group} ${daemon}`}
          sort={query.sort}
          onSort={(sort) => changeSettings(route, { sort, offset: '' })}
          isBusy={!isCurrent}
        />
      )}
    </section>
  );
}
